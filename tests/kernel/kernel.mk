# The kernels of the image, booted and tried; for the top Makefile to include.

KERNEL_TEST_PACKAGES := qemu-system-x86 ovmf busybox-static e2fsprogs dosfstools gdisk python3-pytest
build/.kernel-test-packages: tests/kernel/kernel.mk build/.build-packages
	$(call need,$(KERNEL_TEST_PACKAGES))
	@touch $@

.PHONY: kernel-check kernel-check-metal kernel-check-needs
kernel-check-needs: build/kernel/guest build/.kernel-test-packages
kernel-check: build/kernel/guest | build/.kernel-test-packages ## boots the guest's kernel under BIOS and UEFI, tries what the roles need of it
	$(Q)HIKYAKU_KERNEL=$(CURDIR)/$< /usr/bin/python3 -m pytest -q tests/kernel

kernel-check-metal: build/kernel/metal | build/.kernel-test-packages ## the same with the shipped kernel, and other makers' disks and cards
	$(Q)HIKYAKU_KERNEL=$(CURDIR)/$< /usr/bin/python3 -m pytest -q tests/kernel
