# The image and what boots it, for the top Makefile to include. Kernels come from kernel-config/, the root
# file system from rootfs/; both find out by themselves whether anything changed, so that these targets
# always ask them, and then write the image anew (a second).

# metal: what is shipped. guest: virtio only, quick to build, for tests.
PROFILE ?= metal
IMAGE := build/image/hikyaku$(if $(filter metal,$(PROFILE)),,-$(PROFILE)).img
# make PROFILE=guest IMAGE_FILES="/hikyaku/appliance.conf=my.conf" image
IMAGE_FILES ?=
FIRMWARE ?= bios

IMAGE_PACKAGES := grub-common grub-pc-bin grub-efi-amd64-bin mtools openssl
MACHINE_PACKAGES := qemu-system-x86 ovmf qemu-utils openssh-client

build/.image-packages: appliance/appliance.mk build/.build-packages
	$(call need,$(IMAGE_PACKAGES))
	@touch $@

build/.machine-packages: appliance/appliance.mk build/.image-packages
	$(call need,$(MACHINE_PACKAGES))
	@touch $@

.PHONY: image image-guest image-all boot
image: build/kernel/$(PROFILE) rootfs build/.image-packages ## the disk image: build/image/hikyaku.img
	$(Q)appliance/image --kernel build/kernel/$(PROFILE)/bzImage --rootfs $(ROOTFS) \
		$(IMAGE_FILES:%=--file %) $(IMAGE)

image-guest: ## the image with the virtio-only kernel: build/image/hikyaku-guest.img
	$(Q)$(MAKE) --no-print-directory PROFILE=guest image

image-all: image build/.machine-packages ## the image for hypervisors, too: qcow2, vmdk, raw.gz
	$(Q)appliance/formats $(IMAGE)

boot: image build/.machine-packages ## boots the image in QEMU; PROFILE=guest, FIRMWARE=uefi
	$(Q)appliance/boot --firmware $(FIRMWARE) $(BOOT_ARGUMENTS) $(IMAGE)
