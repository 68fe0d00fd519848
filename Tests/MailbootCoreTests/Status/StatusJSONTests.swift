import JSON
import MailbootCore
import Testing

/// `status --format json`, schema 1, letter by letter: scripts and monitors read it.
struct StatusJSONTests {
  @Test func aReadyHost() {
    var fixture = StatusFixture()
    fixture.configuration.services = [
      fixture.configuration.services[3], Configuration.Service(name: "helper"),
    ]
    let since = StatusFixture.noon
    fixture.observation?.services = [
      ServiceStatus(
        name: "postfix",
        units: [
          UnitStatus(unit: "postfix.service", activeState: "active", subState: "exited"),
          UnitStatus(unit: "postfix@-.service", activeState: "active", subState: "running"),
        ], activeSince: since, startedMicroseconds: UInt64(since * 1_000_000)),
      ServiceStatus(
        name: "helper", units: [UnitStatus(unit: "helper.service", activeState: "active", subState: "running")],
        activeSince: since, startedMicroseconds: 1),
    ]
    fixture.record?.probes = ["postfix": ProbeRecord(answered: true, detail: "220 mail \"ESMTP\"", at: since + 60)]
    fixture.record?.checks = [
      CheckRecord(name: .database, result: .pass, detail: "2 domains", hint: nil, at: since),
      CheckRecord(name: .freeSpace, result: .warn, detail: "3 % free", hint: "see what fills it", at: since),
    ]
    fixture.record?.lastUnlock = UnlockRecord(
      at: since + 61.9, by: "root", via: .keyFile, seconds: 12.3456,
      steps: [
        StepRecord(name: "open", outcome: .changed, seconds: 2.5, began: 0.25),
        StepRecord(name: "mount", outcome: .unchanged, seconds: 0),
      ])
    #expect(fixture.report.json().rendered() == Self.ready)
  }

  @Test func aLockedHostLeavesNoFieldOut() {
    var fixture = StatusFixture.lockedHost
    fixture.record = nil
    fixture.configuration.services = [fixture.configuration.services[3]]
    fixture.observation?.services = [
      ServiceStatus(
        name: "postfix", units: [UnitStatus(unit: "postfix.service", activeState: "inactive", subState: "dead")],
        activeSince: nil, startedMicroseconds: 0)
    ]
    #expect(fixture.report.json().rendered() == Self.locked)
  }

  @Test func ofAnUnknownStateWhatCannotBeSeenIsNull() {
    var fixture = StatusFixture()
    fixture.observation = nil
    fixture.configuration.services = []
    let json = fixture.report.json().rendered()
    #expect(json.contains("\"state\": \"unknown\",\n  \"since\": null,"))
    #expect(json.contains("\"services\": [],\n"))
    #expect(json.contains("\"size_bytes\": null,\n    \"available_bytes\": null\n"))
  }

  @Test(arguments: [
    (UnlockSource.terminal, "\"terminal\""), (.stdin, "\"stdin\""), (.keyFile, "\"key-file\""), (.none, "null"),
  ])
  func howThePassphraseCameIsNamedUnlessNoneWasNeeded(_ source: UnlockSource, _ via: String) {
    var fixture = StatusFixture()
    fixture.record?.lastUnlock = UnlockRecord(at: 0, by: "root", via: source, seconds: 1, steps: [])
    #expect(fixture.report.json().rendered().contains("\"by\": \"root\",\n    \"via\": \(via),\n"))
  }

  static let ready = """
    {
      "schema": 1,
      "state": "ready",
      "since": "2026-11-22T15:00:00Z",
      "reasons": [],
      "host": "mail",
      "boot_id": "6c1d3f7e-0b5e-4a49-9d1c-5d6f9a1b2c3d",
      "vault": {
        "name": "vault",
        "type": "luks",
        "device": "/dev/vdb",
        "uuid": "01234567-89ab-cdef-0123-456789abcdef",
        "mapping": "vault-blk",
        "open": true,
        "mount": "/vault",
        "mounted": true,
        "size_bytes": 1000,
        "available_bytes": 600
      },
      "vaults": [
        {
          "name": "vault",
          "type": "luks",
          "device": "/dev/vdb",
          "uuid": "01234567-89ab-cdef-0123-456789abcdef",
          "mapping": "vault-blk",
          "open": true,
          "mount": "/vault",
          "mounted": true,
          "size_bytes": 1000,
          "available_bytes": 600
        }
      ],
      "checks": [
        {
          "name": "database",
          "result": "pass",
          "detail": "2 domains",
          "hint": null
        },
        {
          "name": "free-space",
          "result": "warn",
          "detail": "3 % free",
          "hint": "see what fills it"
        }
      ],
      "services": [
        {
          "name": "postfix",
          "units": [
            {
              "unit": "postfix.service",
              "active_state": "active",
              "sub_state": "exited"
            },
            {
              "unit": "postfix@-.service",
              "active_state": "active",
              "sub_state": "running"
            }
          ],
          "ready": true,
          "probe": "smtp://127.0.0.1:25",
          "probed_at": "2026-11-22T15:01:00Z",
          "detail": "220 mail \\"ESMTP\\"",
          "since": "2026-11-22T15:00:00Z"
        },
        {
          "name": "helper",
          "units": [
            {
              "unit": "helper.service",
              "active_state": "active",
              "sub_state": "running"
            }
          ],
          "ready": true,
          "probe": null,
          "probed_at": null,
          "detail": null,
          "since": "2026-11-22T15:00:00Z"
        }
      ],
      "waiting": null,
      "last_unlock": {
        "at": "2026-11-22T15:01:01Z",
        "by": "root",
        "via": "key-file",
        "seconds": 12.346,
        "steps": [
          {
            "name": "open",
            "outcome": "changed",
            "seconds": 2.500,
            "began": 0.250
          },
          {
            "name": "mount",
            "outcome": "unchanged",
            "seconds": 0.000,
            "began": null
          }
        ]
      },
      "host_test": null,
      "dns_check": null,
      "queue": null
    }
    """

  static let locked = """
    {
      "schema": 1,
      "state": "locked",
      "since": "2026-11-22T14:50:00Z",
      "reasons": [],
      "host": "mail",
      "boot_id": "6c1d3f7e-0b5e-4a49-9d1c-5d6f9a1b2c3d",
      "vault": {
        "name": "vault",
        "type": "luks",
        "device": null,
        "uuid": null,
        "mapping": "vault-blk",
        "open": false,
        "mount": "/vault",
        "mounted": false,
        "size_bytes": null,
        "available_bytes": null
      },
      "vaults": [
        {
          "name": "vault",
          "type": "luks",
          "device": null,
          "uuid": null,
          "mapping": "vault-blk",
          "open": false,
          "mount": "/vault",
          "mounted": false,
          "size_bytes": null,
          "available_bytes": null
        }
      ],
      "checks": [],
      "services": [
        {
          "name": "postfix",
          "units": [
            {
              "unit": "postfix.service",
              "active_state": "inactive",
              "sub_state": "dead"
            }
          ],
          "ready": false,
          "probe": "smtp://127.0.0.1:25",
          "probed_at": null,
          "detail": null,
          "since": null
        }
      ],
      "waiting": null,
      "last_unlock": null,
      "host_test": null,
      "dns_check": null,
      "queue": null
    }
    """
}
