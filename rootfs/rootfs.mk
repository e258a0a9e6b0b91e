# The root file system, for the top Makefile to include. Made anew when anything that goes in has changed.

ROOTFS := build/rootfs/rootfs.cpio.zst
# Folder of *.pem: who may sign upgrades.
RELEASE_KEYS ?= $(wildcard appliance/release-keys)

build/.rootfs-packages: rootfs/rootfs.mk build/.build-packages
	$(call need,zstd)
	@touch $@

.PHONY: rootfs
rootfs: build/.rootfs-packages ## the root file system, one packed archive: build/rootfs/rootfs.cpio.zst
	$(Q)$(MAKE) --no-print-directory VARIANT=static all
	$(Q)rootfs/build $(RELEASE_KEYS:%=--keys %) build/static/hikyaku build/rootfs

.PHONY: sbom
sbom: rootfs build/.image-packages ## the disk image's bill of materials, SPDX: build/rootfs/image.spdx.json
	$(Q)rootfs/sbom.py build/rootfs/sbom.spdx.json build/rootfs/image.spdx.json
