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
MACHINE_PACKAGES := qemu-system-x86 ovmf qemu-utils openssh-client gdisk dosfstools chrony

build/.image-packages: appliance/appliance.mk build/.build-packages
	$(call need,$(IMAGE_PACKAGES))
	@touch $@

build/.machine-packages: appliance/appliance.mk build/.image-packages
	$(call need,$(MACHINE_PACKAGES))
	@touch $@

# The private key that signs bundles, and the version they say they are.
RELEASE_KEY ?=
BUNDLE := $(IMAGE:.img=.bundle)

.PHONY: image image-guest image-all bundle boot
image: build/kernel/$(PROFILE) rootfs build/.image-packages ## the disk image: build/image/hikyaku.img
	$(Q)appliance/image --kernel build/kernel/$(PROFILE)/bzImage --rootfs $(ROOTFS) \
		$(IMAGE_FILES:%=--file %) $(IMAGE)

image-guest: ## the image with the virtio-only kernel: build/image/hikyaku-guest.img
	$(Q)$(MAKE) --no-print-directory PROFILE=guest image

image-all: image build/.machine-packages ## the image for hypervisors, too: qcow2, vmdk, raw.gz
	$(Q)appliance/formats $(IMAGE)

bundle: build/kernel/$(PROFILE) rootfs build/.image-packages ## what running appliances are upgraded with; RELEASE_KEY=file
	$(Q)[ -n "$(RELEASE_KEY)" ] || { echo "say RELEASE_KEY=file; appliance/bundle key FILE makes one" >&2; exit 1; }
	$(Q)appliance/bundle make --kernel build/kernel/$(PROFILE)/bzImage --rootfs $(ROOTFS) \
		--key $(RELEASE_KEY) $(BUNDLE)

boot: image build/.machine-packages ## boots the image in QEMU; PROFILE=guest, FIRMWARE=uefi
	$(Q)appliance/boot --firmware $(FIRMWARE) $(BOOT_ARGUMENTS) $(IMAGE)

# What tests/appliance starts: the guest image, whose upgrades a key made for the tests signs.
TEST_KEY := build/appliance-test/release.pem
.PHONY: image-test
image-test: build/.machine-packages
	$(Q)mkdir -p build/appliance-test/keys
	$(Q)appliance/bundle key $(TEST_KEY)
	$(Q)appliance/bundle public $(TEST_KEY) >build/appliance-test/keys/test.pem
	$(Q)$(MAKE) --no-print-directory PROFILE=guest RELEASE_KEYS=build/appliance-test/keys image
