# The static musl userland, for the top Makefile to include.
#
# Gives it MUSL_CC (the compiler to use), SYSROOT (headers and static libraries) and the target
# `sysroot`. Both paths are known before anything is built. What is compiled with them should depend
# on $(PKG_SYSROOT_STAMP): its time moves only when the sysroot's content does.

PKG_DIR := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
PKG_BUILD_DIR := $(abspath $(PKG_DIR)/../../build)
PKG_SYSROOT_STAMP := $(PKG_BUILD_DIR)/sysroot.stamp
SYSROOT := $(PKG_BUILD_DIR)/sysroot
MUSL_CC := $(SYSROOT)/bin/musl-gcc

.PHONY: sysroot pkg-always
sysroot: $(PKG_SYSROOT_STAMP) ## static musl libraries and their compiler, built from Debian sources

$(PKG_SYSROOT_STAMP): pkg-always
	@$(PKG_DIR)/build sysroot $(SYSROOT) $@

# Everything that the product links, in the order in which the linker wants it.
PKG_LIBS := -lunbound -lcurl -lssl -lcrypto -lexpat -llmdb -luring -ljansson -lconfuse -lidn2 \
	-lpsl -ledit -ltinfo -lqrencode -lz
# The allocator, to be linked before everything else (README.md says what it brings).
PKG_MALLOC := $(SYSROOT)/lib/mimalloc.o
PKG_WARNINGS := -std=gnu17 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wvla -Wformat=2
PKG_LINK = $(MUSL_CC) -O2 $(PKG_WARNINGS) $(filter %.o %.c,$^) -o $@
PKG_TEST_DIR := $(abspath $(PKG_DIR)/../../tests/static)
PKG_BENCH_DIR := $(abspath $(PKG_DIR)/../../bench)
PKG_OUT := $(PKG_BUILD_DIR)/packages

.PHONY: sysroot-test sysroot-bench
sysroot-test: $(PKG_OUT)/smoke $(PKG_OUT)/robust_mutex_test ## the static libraries at work
	@if readelf -ld $(PKG_OUT)/smoke | grep -E 'INTERP|NEEDED'; then \
		echo "$(PKG_OUT)/smoke is not static" >&2; exit 1; fi
	$(PKG_OUT)/smoke
	$(PKG_OUT)/robust_mutex_test

$(PKG_OUT)/smoke: $(PKG_DIR)/smoke.c $(PKG_SYSROOT_STAMP)
	@mkdir -p $(@D)
	$(PKG_LINK) $(PKG_LIBS)

$(PKG_OUT)/robust_mutex_test: $(PKG_TEST_DIR)/robust_mutex_test.c $(PKG_SYSROOT_STAMP)
	@mkdir -p $(@D)
	$(PKG_LINK) -llmdb

# The same program three times: with musl's allocator, with mimalloc, and with this machine's own
# libraries (left out where libssl-dev or liblmdb-dev is not installed).
sysroot-bench: $(PKG_OUT)/alloc-musl $(PKG_OUT)/alloc-mimalloc ## the allocators compared
	@gcc -O2 $(PKG_BENCH_DIR)/alloc.c -o $(PKG_OUT)/alloc-host -llmdb -lssl -lcrypto -lpthread || \
		echo "no libssl-dev or liblmdb-dev here: measuring without the host's libraries" >&2
	@$(PKG_BENCH_DIR)/alloc.sh $(PKG_OUT)

$(PKG_OUT)/alloc-musl: $(PKG_BENCH_DIR)/alloc.c $(PKG_SYSROOT_STAMP)
	@mkdir -p $(@D)
	$(PKG_LINK) -llmdb -lssl -lcrypto

$(PKG_OUT)/alloc-mimalloc: $(PKG_BENCH_DIR)/alloc.c $(PKG_SYSROOT_STAMP)
	@mkdir -p $(@D)
	$(MUSL_CC) -O2 $(PKG_WARNINGS) $(PKG_MALLOC) $< -o $@ -llmdb -lssl -lcrypto
