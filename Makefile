# See README.md, "Building". Everything that must be installed first is installed by `make deps`.
SHELL = /bin/sh
DESTDIR =
RELEASE_BUILD = .build-release
# All programs in one build folder; Swift's own libraries are linked in, Debian's are not.
# No program looks for libraries beside itself: a copy that root runs in somebody's directory would load that somebody's.
# The C++ runtime is linked in as well: looking up its symbols took a quarter of the time of `mailboot status`. Swift asks for it by
# -lstdc++, so the linker is shown a directory first in which there is no other. Nothing here is
# faster for being larger (-Osize), nobody loads anything from it (no exported symbols). The 44,000 relocations of a program are packed
# (RELR, which glibc knows from 2.36): a file smaller by 1 MB, and a call of mailcfg in some 0.85 of the time. Of the linkers gold cannot, and
# lld keeps all of Foundation in mailboot, which nothing there calls (60 MB in place of 17): it is bfd.
STATIC_LIBRARIES = $(RELEASE_BUILD)/static-libraries
SWIFT_RELEASE = swift build -c release --static-swift-stdlib --disable-local-rpath --scratch-path $(RELEASE_BUILD) \
  -Xlinker -L$(abspath $(STATIC_LIBRARIES)) -Xswiftc -Osize \
  -Xswiftc -use-ld=bfd -Xlinker -z -Xlinker pack-relative-relocs \
  -Xlinker --no-export-dynamic
VERSION = $(shell sed -n 's/.*static let text = "\(.*\)"/\1/p' Sources/MailbootCore/Version.swift)
DEB = dist/mailboot_$(VERSION)_$(shell dpkg --print-architecture).deb
SWIFT_FILES = Package.swift Sources Tests
SHELL_FILES = $(shell grep -lE '^\#!/bin/(ba)?sh' scripts/* packaging/* packaging/notify.d-examples/* .ci/run $$(find machine -type f) 2>/dev/null)

.PHONY: all build deps install install-files deb machine-tool machines demo test test-quick test-host test-machine test-vault-life bench format lint clean

all: build

# The machine that nobody has touched yet has only the toolchain.
deps:
	@scripts/install-dependencies

build: deps
	mkdir -p $(STATIC_LIBRARIES)
	ln -sf "$$(gcc -print-file-name=libstdc++.a)" $(STATIC_LIBRARIES)/libstdc++.a
	ln -sf "$$(gcc -print-file-name=libgcc_eh.a)" $(STATIC_LIBRARIES)/libgcc_s.a
	$(SWIFT_RELEASE) --product mailboot
	$(SWIFT_RELEASE) --product mailboot-worker
	$(SWIFT_RELEASE) --product mailcfg
	$(SWIFT_RELEASE) --product mailhost
	gcc -shared -fPIC -O2 -Wall -Wextra -Werror -Wl,-z,relro,-z,now -o $(RELEASE_BUILD)/gocryptfs-threads.so packaging/gocryptfs-threads.c

install: build install-files

install-files:
	@test -x $(RELEASE_BUILD)/release/mailhost || { echo "run \`make build\` first" >&2; exit 1; }
	install -d $(DESTDIR)/usr/bin $(DESTDIR)/usr/sbin $(DESTDIR)/usr/libexec/mailboot $(DESTDIR)/usr/lib/tmpfiles.d $(DESTDIR)/usr/lib/sysusers.d \
	  $(DESTDIR)/usr/share/man/man8 $(DESTDIR)/usr/share/man/man5 $(DESTDIR)/usr/share/doc/mailboot/examples \
	  $(DESTDIR)/usr/share/bash-completion/completions $(DESTDIR)/usr/share/zsh/vendor-completions \
	  $(DESTDIR)/usr/share/fish/vendor_completions.d $(DESTDIR)/etc/mailboot/notify.d
	install -s -m 755 $(RELEASE_BUILD)/release/mailboot $(DESTDIR)/usr/sbin/mailboot
	install -s -m 755 $(RELEASE_BUILD)/release/mailboot-worker $(DESTDIR)/usr/libexec/mailboot/mailboot-worker
	install -s -m 755 $(RELEASE_BUILD)/release/mailcfg $(DESTDIR)/usr/bin/mailcfg
	install -s -m 755 $(RELEASE_BUILD)/release/mailhost $(DESTDIR)/usr/sbin/mailhost
	install -s -m 644 $(RELEASE_BUILD)/gocryptfs-threads.so $(DESTDIR)/usr/libexec/mailboot/gocryptfs-threads.so
	install -d $(DESTDIR)/usr/lib/systemd/system $(DESTDIR)/usr/lib/systemd/catalog $(DESTDIR)/usr/share/dbus-1/system.d
	install -m 644 systemd/mailboot.service $(DESTDIR)/usr/lib/systemd/system/mailboot.service
	install -m 644 systemd/mailhost-rotate.service systemd/mailhost-rotate.timer systemd/mailhost-dns.service \
	  systemd/mailhost-dns.timer systemd/mailhost-limits.service systemd/mailhost-limits.timer $(DESTDIR)/usr/lib/systemd/system
	install -m 755 packaging/hold-door $(DESTDIR)/usr/libexec/mailboot/hold-door
	for unit in postfix postfix@; do install -D -m 644 systemd/mailboot-door.conf \
	  $(DESTDIR)/usr/lib/systemd/system/$$unit.service.d/mailboot-door.conf; done
	install -m 644 systemd/org.mailboot1.conf $(DESTDIR)/usr/share/dbus-1/system.d/org.mailboot1.conf
	install -m 644 systemd/mailboot.catalog $(DESTDIR)/usr/lib/systemd/catalog/mailboot.catalog
	install -m 644 systemd/mailboot.tmpfiles $(DESTDIR)/usr/lib/tmpfiles.d/mailboot.conf
	install -m 644 systemd/mailboot.sysusers $(DESTDIR)/usr/lib/sysusers.d/mailboot.conf
	for page in man/*.[58]; do gzip -9nc "$$page" | install -m 644 /dev/stdin \
	  $(DESTDIR)/usr/share/man/man$${page##*.}/$${page##*/}.gz; done
	install -m 644 README.md CHANGELOG.md $(DESTDIR)/usr/share/doc/mailboot
	install -d $(DESTDIR)/usr/share/doc/mailboot/docs
	install -m 644 docs/*.md $(DESTDIR)/usr/share/doc/mailboot/docs
	install -m 644 packaging/copyright $(DESTDIR)/usr/share/doc/mailboot/copyright
	install -m 644 packaging/mailboot.toml $(DESTDIR)/usr/share/doc/mailboot/examples/mailboot.toml
	install -m 644 packaging/mailhost.toml $(DESTDIR)/usr/share/doc/mailboot/examples/mailhost.toml
	# What mailhost makes the host's files from; with it the file whose comments `mailhost explain` shows.
	rm -rf $(DESTDIR)/usr/share/mailboot/templates
	install -d $(DESTDIR)/usr/share/mailboot
	cp -rL templates $(DESTDIR)/usr/share/mailboot/templates
	chmod -R u=rwX,go=rX $(DESTDIR)/usr/share/mailboot
	install -d $(DESTDIR)/usr/share/doc/mailboot/examples/notify.d $(DESTDIR)/etc/mailboot/notify.d
	install -m 755 packaging/notify.d-examples/[0-9]* $(DESTDIR)/usr/share/doc/mailboot/examples/notify.d
	install -m 644 packaging/notify.d-examples/notify.env $(DESTDIR)/usr/share/doc/mailboot/examples/notify.env
	for program in mailboot mailcfg mailhost; do \
	  script="$(RELEASE_BUILD)/release/$$program --generate-completion-script"; \
	  $$script bash > $(DESTDIR)/usr/share/bash-completion/completions/$$program && \
	  $$script zsh > $(DESTDIR)/usr/share/zsh/vendor-completions/_$$program && \
	  $$script fish > $(DESTDIR)/usr/share/fish/vendor_completions.d/$$program.fish || exit 1; done
	cat packaging/completions/whole-words.bash >> $(DESTDIR)/usr/share/bash-completion/completions/mailcfg

deb: build
	scripts/build-deb

MACHINE = .build/debug/mailboot-machine
# What `make demo` shows: empty, gocryptfs (a native host) or luks (a machine in qemu).
VAULT =
demo_kind = $(if $(VAULT),--kind $(if $(filter luks,$(VAULT)),machine,native))

machine-tool: deps
	swift build --product mailboot-machine

# The disposable hosts, Debian 12 and 13, locked, with our package installed. Cached outside the repository. What does not need the
# package is made beside it.
machines: machine-tool
	$(MACHINE) build --no-deb --kind native & hosts=$$!; $(MAKE) deb || { kill $$hosts; exit 1; }; wait $$hosts
	$(MACHINE) build --deb $(DEB)

demo: machine-tool
	$(MACHINE) build --no-deb --kind native 12 & hosts=$$!; $(MAKE) deb || { kill $$hosts; exit 1; }; wait $$hosts
	$(MACHINE) demo $(demo_kind) --deb $(DEB)

# The release takes one processor for most of its time, so it is built beside the tests' own build.
test: deps
	mkdir -p dist
	$(MAKE) deb > dist/build.log 2>&1 & build=$$!; $(MAKE) test-quick; quick=$$?; \
	  wait $$build || { cat dist/build.log; exit 1; }; exit $$quick
	$(MAKE) test-host
	$(MAKE) test-machine

# Four clients who take all of the machine: beside a hundred key derivations on two processors an answer may take longer than the bus waits.
TIMED = '\.WaitServiceFloodTests/'

# Pure and component tests: no host, no machine.
test-quick: deps
	swift build --build-tests
	scripts/run-tests --skip-build --skip '^HostTests\.' --skip '^MachineTests\.' --skip $(TIMED)
	scripts/run-tests --skip-build --no-parallel --filter $(TIMED)

# Scenes on native hosts, with a gocryptfs vault.
test-host: machines
	swift build --build-tests
	MAILBOOT_DEB=$(abspath $(DEB)) scripts/run-tests --skip-build --filter '^HostTests\.'

# Scenes that take a kernel of their own, or LUKS.
test-machine: machines
	swift build --build-tests
	MAILBOOT_DEB=$(abspath $(DEB)) scripts/run-tests --skip-build --filter '^MachineTests\.' --skip $(VAULT_LIFE)

# The vault's life with device-mapper, a TPM and power cuts: emulated it takes longer than a test of everything has room for.
VAULT_LIFE = '\.(ForeignVault|NewVault|TPM|VaultPowerCut|VaultMovePowerCut)Tests/'
test-vault-life: machines
	swift build --build-tests
	MAILBOOT_DEB=$(abspath $(DEB)) scripts/run-tests --skip-build --filter $(VAULT_LIFE)

# Writes docs/benchmarks.md.
bench: machines
	status=0; scripts/bench-accounts $(RELEASE_BUILD)/release/mailcfg > dist/bench-accounts.txt || status=1; \
	  cat dist/bench-accounts.txt; \
	  $(MACHINE) bench --deb $(DEB) --accounts dist/bench-accounts.txt --table docs/benchmarks.md || status=1; \
	  exit $$status

format:
	swift format --in-place --recursive $(SWIFT_FILES)

lint: deps
	swift format lint --strict --recursive $(SWIFT_FILES)
	scripts/check-imports
	shellcheck -x $(SHELL_FILES)
	shellcheck --shell=bash packaging/completions/whole-words.bash
	for page in man/*.[58]; do test -z "$$(man --warnings -l -Tutf8 "$$page" 2>&1 >/dev/null)" || { echo "$$page has warnings"; exit 1; }; done

clean:
	rm -rf .build $(RELEASE_BUILD) dist
