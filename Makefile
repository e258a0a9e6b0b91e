# hikyaku: a mail-sending appliance. `make help` lists what can be made.
#
# Variants of the same sources, each in its own folder below build/:
#   host    against Debian's -dev packages, optimised; what `make run` uses
#   san     with address and undefined-behaviour sanitizers; what the tests use
#   tsan    with the sanitizer of threads
#   fuzz    by clang, with coverage for libFuzzer and the same sanitizers
#   fuzz-fast  the same programs for volume: optimised, without sanitizers and without traced comparisons
#   cover   by clang, counting what the fuzz targets reach
#   static  one static musl binary against the sysroot of rootfs/packages; what the image uses
# Objects come out of ccache when it is there, so a second clone compiles nothing twice.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

VARIANT ?= host
BUILD := build/$(VARIANT)
Q := $(if $(V),,@)
say = @printf '%-9s %s\n' '$(1)' '$(2)'

# ---- tools and flags -------------------------------------------------------------------------

CCACHE := $(shell command -v ccache 2>/dev/null)
HOST_CC ?= gcc
WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
	-Wno-format-nonliteral
BASE_CFLAGS := -std=gnu17 -g -D_GNU_SOURCE -Isrc $(WARN) -fno-strict-aliasing -fstack-protector-strong \
	-ffile-prefix-map=$(CURDIR)=.
LIBS := -luring -llmdb -lunbound -lssl -lcrypto -lcurl -ljansson -lconfuse -lidn2 -lpsl -ledit -lz -lqrencode -lpthread

ifeq ($(VARIANT),host)
CC := $(CCACHE) $(HOST_CC)
CFLAGS := $(BASE_CFLAGS) -O2 -D_FORTIFY_SOURCE=2
LDFLAGS :=
else ifeq ($(VARIANT),san)
CC := $(CCACHE) $(HOST_CC)
CFLAGS := $(BASE_CFLAGS) -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all
LDFLAGS := -fsanitize=address,undefined
else ifeq ($(VARIANT),tsan)
CC := $(CCACHE) $(HOST_CC)
CFLAGS := $(BASE_CFLAGS) -O1 -fno-omit-frame-pointer -fsanitize=thread
LDFLAGS := -fsanitize=thread
else ifeq ($(VARIANT),fuzz)
FUZZ_CC ?= clang-14
CC := $(CCACHE) $(FUZZ_CC)
CFLAGS := $(BASE_CFLAGS) -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all \
	-fsanitize=fuzzer-no-link,address,undefined
LDFLAGS := -fsanitize=fuzzer,address,undefined
else ifeq ($(VARIANT),fuzz-fast)
FUZZ_CC ?= clang-14
CC := $(CCACHE) $(FUZZ_CC)
CFLAGS := $(BASE_CFLAGS) -O2 -fsanitize-coverage=inline-8bit-counters,pc-table
LDFLAGS := -fsanitize=fuzzer
else ifeq ($(VARIANT),cover)
FUZZ_CC ?= clang-14
CC := $(CCACHE) $(FUZZ_CC)
CFLAGS := $(BASE_CFLAGS) -O1 -fprofile-instr-generate -fcoverage-mapping -fsanitize=fuzzer-no-link
LDFLAGS := -fsanitize=fuzzer -fprofile-instr-generate
else ifeq ($(VARIANT),static)
CC = $(CCACHE) $(MUSL_CC)
CFLAGS = $(BASE_CFLAGS) -O2 -D_FORTIFY_SOURCE=2
LDFLAGS = -static-pie
LIBS = $(STATIC_LIBS)
else
$(error VARIANT is one of host, san, tsan, fuzz, fuzz-fast, cover, static; not '$(VARIANT)')
endif

-include rootfs/packages/packages.mk
-include rootfs/rootfs.mk
-include bench/bench.mk
-include kernel-config/kernel.mk
-include appliance/appliance.mk

STATIC_LIBS ?= $(PKG_MALLOC) $(PKG_LIBS)

# ---- what the host must have -----------------------------------------------------------------

BUILD_PACKAGES := gcc make pkg-config ccache liburing-dev liblmdb-dev libunbound-dev libssl-dev libcurl4-openssl-dev \
	libjansson-dev libconfuse-dev libidn2-dev libpsl-dev libedit-dev zlib1g-dev libqrencode-dev dns-root-data python3 python3-dkim
TEST_PACKAGES := libcmocka-dev python3-pytest python3-aiosmtpd python3-dnspython libmail-dkim-perl \
	opendkim opendkim-tools nsd ldnsutils prometheus python3-prometheus-client python3-yaml curl openssh-client swaks clang libclang-rt-14-dev clang-tidy \
	cppcheck valgrind mandoc bsdextrautils iproute2 lmdb-utils postfix g++ spin relacy-dev udhcpc udhcpd dnsmasq-base gdisk \
	python3-pexpect python3-pyte python3-spf tzdata lighttpd lighttpd-mod-deflate lighttpd-mod-openssl pebble nodejs python3-jsonschema python3-requests python3-html5lib
# npm comes with nodejs where that is not Debian's own.
NPM_PACKAGE := $(if $(shell command -v npm),,npm)
BROWSER_PACKAGES := chromium fonts-noto-cjk $(NPM_PACKAGE)
missing = $(shell dpkg-query -W -f='$${Package} $${db:Status-Status}\n' $(1) 2>/dev/null | \
	awk '$$2 == "installed" { have[$$1] = 1 } END { n = split("$(1)", want, " "); \
	for (i = 1; i <= n; i++) if (!have[want[i]]) printf "%s ", want[i] }')

# Installs what is missing when that is possible, else says the one command to run.
define need
	@lack="$(call missing,$(1))"; lack="$${lack%% }"; \
	if [ -n "$${lack// /}" ]; then \
		if [ "$$(id -u)" = 0 ]; then \
			echo "install   $$lack"; \
			apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
			apt-get -qq -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 install -y --no-install-recommends $$lack \
				>build/.apt.log 2>&1 || { tail -20 build/.apt.log; exit 1; }; \
		else \
			echo "Packages are missing; this installs them:" >&2; \
			echo "  sudo apt-get update && sudo DEBIAN_FRONTEND=noninteractive apt-get install -y" \
				"--no-install-recommends $$lack" >&2; \
			exit 1; \
		fi; \
	fi
endef

# Who asks for tests gets one command, or one installation, for all of it.
TESTS_WANTED := $(filter test test-packages unit integration browser tsan model fuzz lint sim,$(MAKECMDGOALS))

build/.build-packages: Makefile
	@mkdir -p build
	$(call need,$(BUILD_PACKAGES) $(if $(TESTS_WANTED),$(TEST_PACKAGES)))
	@touch $@

build/.test-packages: Makefile build/.build-packages
	$(call need,$(TEST_PACKAGES))
	@touch $@

.PHONY: test-packages
test-packages: build/.test-packages ## what building and testing need, installed (as root) or named

ifeq ($(VARIANT),static)
TOOLCHAIN := $(PKG_SYSROOT_STAMP)
else
TOOLCHAIN := build/.build-packages
endif

# ---- the program -----------------------------------------------------------------------------

ROOMS := base io metrics store dns smtp dkim message delivery campaign receive web send hook console init control
SOURCES := $(filter-out src/main.c,$(foreach room,$(ROOMS),$(wildcard src/$(room)/*.c)))
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/obj/%.o)
LIBRARY := $(BUILD)/libhikyaku.a
PROGRAM := $(BUILD)/hikyaku

.PHONY: all
all: $(PROGRAM) ## the program for this host: build/host/hikyaku

$(PROGRAM): $(BUILD)/obj/main.o $(LIBRARY)
	$(call say,link,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# Of a name that two files define the linker takes the one that it meets first, and says nothing.
$(LIBRARY): $(OBJECTS)
	$(Q)rm -f $@ && ar rcsD $@ $^
	$(Q)twice=$$(nm --defined-only -g $@ 2>&1 | awk 'NF == 3 && $$2 ~ /[TDBRC]/ { print $$3 }' | sort | uniq -d); \
		test -z "$$twice" || { rm -f $@; echo "$@: defined in two files:" $$twice >&2; exit 1; }

$(BUILD)/obj/%.o: src/%.c Makefile | $(TOOLCHAIN)
	@mkdir -p $(@D)
	$(call say,compile,$<)
	$(Q)$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/obj/base/config_site.o: src/base/providers.conf
$(BUILD)/obj/web/api_document.o: src/web/openapi.json
$(BUILD)/obj/web/base_template.o: $(wildcard src/web/base_template/*.html)
$(BUILD)/obj/web/asset.o: src/web/style.css src/web/script.js src/web/icon.svg build/vendor/.stamp

# What draws charts: a package of npm, by the sum that its lock file has. No script of it is run.
build/vendor/.stamp: src/web/vendor/package.json src/web/vendor/package-lock.json | build/.build-packages
	@mkdir -p $(@D) && cp src/web/vendor/package.json src/web/vendor/package-lock.json $(@D)
	$(call need,$(NPM_PACKAGE))
	$(call say,npm,$(@D))
	$(Q)cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --silent && touch .stamp

# Vector arithmetic keeps its arrays in registers only when loops are unrolled before that is decided;
# sanitizers would need minutes to compile what comes of it. ThreadSanitizer does not look at it at all: it
# works on arrays of the one thread that signs, and would take seconds for each signature. Short loops over
# limbs begin at a cache line: across two, a chance of the linker's, they cost up to a fifth of all signatures.
LANES_CFLAGS := -O0
ifneq ($(filter host static tsan,$(VARIANT)),)
LANES_CFLAGS := -O3 -falign-loops=64 $(if $(filter tsan,$(VARIANT)),-fno-sanitize=thread)
endif
$(BUILD)/obj/dkim/rsa_lanes_ifma.o: CFLAGS += $(LANES_CFLAGS)
$(BUILD)/obj/dkim/rsa_lanes_portable.o: CFLAGS += -Wno-psabi $(if $(filter tsan,$(VARIANT)),$(LANES_CFLAGS))

-include $(OBJECTS:.o=.d) $(BUILD)/obj/main.d

.PHONY: run
run: build/host/hikyaku $(BENCH_DIR)/sink ## send a sample newsletter to 100,000 recipients at a local sink
	$(Q)bench/sample/run

$(BENCH_PROGRAMS): | build/.build-packages

.PHONY: san static
san: ## the program with sanitizers: build/san/hikyaku
	$(Q)$(MAKE) --no-print-directory VARIANT=san all
static: ## one static musl binary: build/static/hikyaku
	$(Q)$(MAKE) --no-print-directory VARIANT=static all

# ---- tests -----------------------------------------------------------------------------------

# Behind the program: prerequisites are expanded where they stand.
-include $(wildcard tests/*/*.mk)

# tests/static/ stands apart: built by the sysroot's compiler, without the test library.
UNIT_SOURCES := $(filter-out tests/static/%,$(wildcard tests/*/*_test.c))
UNIT_PROGRAMS := $(UNIT_SOURCES:tests/%.c=$(BUILD)/tests/%)
# Drivers that write files for other programs to judge: no asserts of their own.
DRIVER_SOURCES := $(wildcard tests/*/*_many.c)
DRIVER_PROGRAMS := $(DRIVER_SOURCES:tests/%.c=$(BUILD)/tests/%)

$(BUILD)/tests/%: tests/%.c $(LIBRARY) | build/.test-packages
	@mkdir -p $(@D)
	$(call say,compile,$<)
	$(Q)$(CC) $(CFLAGS) -Itests -MMD -MP -o $@ $< $(LIBRARY) $(LDFLAGS) -lcmocka $(LIBS)

-include $(UNIT_PROGRAMS:=.d) $(DRIVER_PROGRAMS:=.d)

.PHONY: test unit unit-programs integration
test: build/.test-packages ## everything that CI checks; parts by name: tests/run-all unit fuzz
	$(Q)+tests/run-all

unit-programs: $(UNIT_PROGRAMS) $(DRIVER_PROGRAMS)
unit: build/.test-packages ## unit tests, with sanitizers
	$(Q)$(MAKE) --no-print-directory VARIANT=san unit-programs
	$(Q)+tests/run-unit build/san/tests

integration: build/.test-packages ## whole programs among real peers
	$(Q)+tests/run-all integration patience

# What drives the browser: packages of npm, by the sums that their lock file has.
build/browser-modules/.stamp: tests/browser/package.json tests/browser/package-lock.json build/.test-packages
	$(call need,$(BROWSER_PACKAGES))
	@mkdir -p $(@D) && cp tests/browser/package.json tests/browser/package-lock.json $(@D)
	$(call say,npm,$(@D))
	$(Q)cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --silent && touch .stamp

.PHONY: browser browser-needs
browser-needs: build/browser-modules/.stamp
browser: build/.test-packages ## pages in Chromium: pictures are in build/browser/
	$(Q)+tests/run-all browser

.PHONY: tsan
tsan: build/.test-packages ## threads: unit tests and campaigns with the sanitizer of threads
	$(Q)+tests/run-all tsan

.PHONY: model
model: build/.test-packages ## models of what threads share: spin and Relacy, and that they find mutants
	$(Q)tests/model/run

# ---- fuzzing ---------------------------------------------------------------------------------

FUZZ_SOURCES := $(wildcard tests/fuzz/*_fuzz.c)
FUZZ_PROGRAMS := $(FUZZ_SOURCES:tests/fuzz/%.c=$(BUILD)/%)
FUZZ_SECONDS ?= 10

$(BUILD)/%_fuzz: tests/fuzz/%_fuzz.c $(LIBRARY) | build/.test-packages
	$(call say,compile,$<)
	$(Q)$(CC) $(CFLAGS) -Itests -MMD -MP -MT $@ -o $@ $< $(LIBRARY) $(LDFLAGS) $(LIBS)

-include $(FUZZ_PROGRAMS:=.d)

.PHONY: fuzz fuzz-programs fuzz-coverage fuzz-volume
fuzz-programs: $(FUZZ_PROGRAMS)
fuzz: build/.test-packages ## every fuzz target for FUZZ_SECONDS (10) from its corpus
	$(Q)$(MAKE) --no-print-directory VARIANT=fuzz fuzz-programs
	$(Q)+FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run-fuzz
fuzz-volume: build/.test-packages ## fuzz targets in turn until EXECUTIONS (1000) million are on record: a table
	$(Q)$(MAKE) --no-print-directory VARIANT=fuzz fuzz-programs
	$(Q)$(MAKE) --no-print-directory VARIANT=fuzz-fast fuzz-programs
	$(Q)EXECUTIONS=$(EXECUTIONS) tests/fuzz-volume
fuzz-coverage: build/.test-packages ## which lines the fuzz targets' corpora reach: a table, and build/cover/html
	$(call need,llvm-14)
	$(Q)$(MAKE) --no-print-directory VARIANT=cover fuzz-programs
	$(Q)tests/tools/fuzz-coverage

# ---- checks of the source --------------------------------------------------------------------

.PHONY: tidy lint
tidy: ## include table, file and function lengths, banned calls
	$(Q)tests/tools/tidy

lint: build/.test-packages ## clang-tidy and cppcheck
	$(Q)+tests/tools/lint

# ---- the rest --------------------------------------------------------------------------------

.PHONY: clean help
clean: ## remove build/ (the caches outside the tree stay)
	$(Q)rm -rf build

help: ## this list
	@grep -hE '^[a-z][a-z-]*:.*##' Makefile $(wildcard */*.mk */*/*.mk) | \
		sed -E 's/^([a-z-]+):.*## /\1\t/' | awk -F'\t' '{ printf "  make %-14s %s\n", $$1, $$2 }'
