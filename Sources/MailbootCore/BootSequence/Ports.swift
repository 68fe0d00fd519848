import SecretMemory

/// The vault of one machine: each call blocks until it is done, has failed, or the person interrupted.
public protocol VaultPort: AnyObject {
  /// What is opened and closed, as people call it.
  var name: String { get }
  /// Opens the vault. `Failure.passphraseRefused` leaves everything as it was.
  func open(_ passphrase: borrowing SecretBytes) throws(Failure) -> StepOutcome
  /// Makes sure that it is on the mount point, which is made if missing.
  func mount() throws(Failure) -> StepOutcome
  /// Mounts one `[[bind]]` directory, by its place in the configuration.
  func mountBind(_ index: Int) throws(Failure) -> StepOutcome
  /// Makes what `mailhost apply` had left for the open vault; nil: nothing waits for it.
  func fill() throws(Failure) -> StepOutcome?
  @discardableResult func unmountBind(_ index: Int) throws(Failure) -> StepOutcome
  @discardableResult func unmount() throws(Failure) -> StepOutcome
  @discardableResult func close() throws(Failure) -> StepOutcome
}

extension VaultPort {
  public func fill() throws(Failure) -> StepOutcome? { nil }
}

/// A further vault of the machine: each call blocks until it is done, has failed, or the person interrupted. What has broken down is
/// cleared away on the way.
public protocol OtherVaultPort: AnyObject {
  /// Its name in the configuration.
  var name: String { get }
  var mountPoint: String { get }
  /// Opens it, with its own key file where it has one, else with the passphrase (or a token).
  /// - Throws: `Failure.passphraseRefused` when a passphrase is wanted: another one, or where it is empty any.
  func open(_ passphrase: borrowing SecretBytes) throws(Failure) -> StepOutcome
  func mount() throws(Failure) -> StepOutcome
  @discardableResult func unmount() throws(Failure) -> StepOutcome
  @discardableResult func close() throws(Failure) -> StepOutcome
}

/// Checks and services of one machine: many may go on at once, `next` says what ended.
public protocol ServicesPort: AnyObject {
  /// Makes a check. One that a prepared door's units make is not asked for here.
  func begin(check group: CheckGroup)
  /// May already look at what does not lie in the vault, while its key is derived. What it finds counts only from `begin(check:)` on.
  func lookAhead(_ groups: [CheckGroup])
  /// Whether this machine can hold a door: start its units and keep them from listening until it is opened.
  /// - Returns: the checks that the units themselves make before they listen; nil: it cannot be held, or runs already.
  func hold(of door: Int) throws(Failure) -> Set<CheckGroup>?
  /// Starts the units of a door and holds them: what they do before they listen is done now. Ends with `.prepared` or `.failed`,
  /// after `.checked` of each of these checks.
  /// - Parameter checks: of those that the units make, the ones that are wanted.
  func prepare(door index: Int, making checks: Set<CheckGroup>)
  /// Starts the service's units, or opens the door that is held, then asks its probe until it answers. With `start` false only the probe is asked.
  func begin(service index: Int, start: Bool)
  /// Blocks until something ends. Only called while something goes on.
  /// - Throws: `.interrupted`, or when the machine can no longer be asked. What goes on goes on.
  func next() throws(Failure) -> ServicesEvent
  /// All required checks have passed, and nothing is to be started by us: whoever wants to may.
  func admit() throws(Failure)
  /// Gives up waiting for whatever goes on: tools are ended, jobs are left to systemd. A door that is held is stopped and stays shut.
  func abandon()
  /// Services for which a start was asked, whatever became of it: the ones to take back.
  var started: Set<Int> { get }
  /// Stops a service and the units that do its work, and waits until they are down.
  @discardableResult func stop(service index: Int) throws(Failure) -> StepOutcome
}

/// Whoever uses the vault's file system.
public protocol UsersPort: AnyObject {
  /// Looks for them now.
  /// - Parameter withServices: also the processes of the configured services.
  func look(withServices: Bool) throws(Failure) -> VaultUse
  /// Ends these processes, by request and then by force, and waits until they are gone. Whether they are shows at the next look.
  func end(_ holders: [Holder]) throws(Failure)
}

/// What an emergency lock does to a machine; each call ends within seconds, whatever hangs.
public protocol EmergencyPort: AnyObject {
  /// What is closed, as people call it.
  var name: String { get }
  /// Takes the key out of memory; reads and writes of the vault fail from then on.
  func revokeKey() throws(Failure) -> StepOutcome
  /// Stops all configured services at once, by force where they don't go.
  func stopServices() throws(Failure) -> StepOutcome
  /// Ends every other process that uses the vault.
  func endUsers() throws(Failure) -> StepOutcome
  /// Unmounts the vault wherever it is mounted, as a last resort lazily.
  func unmountAll() throws(Failure) -> StepOutcome
  func close() throws(Failure) -> StepOutcome
}

public enum ServicesEvent: Equatable, Sendable {
  case checked(CheckGroup, [Finding])
  /// All is done but to listen; `detail` says who waits.
  case prepared(door: Int, detail: String)
  /// Its probe's answer, or nil without a probe.
  case ready(service: Int, StepOutcome, ProbeRecord?)
  case failed(service: Int, ServiceFailure, ProbeRecord?)
}

/// Two clocks: one that never jumps for durations, one for the calendar.
public protocol ClockPort: AnyObject {
  /// Seconds on a monotonic clock.
  func monotonic() -> Double
  /// Seconds since 1970.
  func wall() -> Double
}
