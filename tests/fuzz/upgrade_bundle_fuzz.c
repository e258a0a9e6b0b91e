/*
 * Any bytes as the head of an upgrade bundle, its release text, and GRUB's environment block: what is
 * taken comes back the same when it is written as appliance/bundle writes it; a block stays a block,
 * keeps its size, and gives back what was set.
 */
#include "base/check.h"
#include "base/text.h"
#include "init/slot_block.h"
#include "init/upgrade_bundle.h"

#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_release(struct slice text)
{
	struct upgrade_release release;
	struct error error = { "" };
	char again[512];
	char hex[UPGRADE_PARTS][SHA256_SIZE * 2 + 1] = { 0 };

	if (!upgrade_release_read(&release, text, &error)) {
		ASSERT(error.text[0]);
		return;
	}
	for (u32 i = 0; i < UPGRADE_PARTS; i++) {
		ASSERT(release.parts[i].size > 0 && release.parts[i].size <= UPGRADE_PART_MAX);
		hex_encode(hex[i], release.parts[i].sha256, SHA256_SIZE);
	}
	ASSERT(upgrade_version_compare(slice_of(release.version), slice_of(release.version)) == 0);
	snprintf(again, sizeof(again), "hikyaku release 1\nversion %s\nkernel %llu %s\nrootfs %llu %s\n",
		 release.version, (unsigned long long)release.parts[UPGRADE_KERNEL].size,
		 hex[UPGRADE_KERNEL], (unsigned long long)release.parts[UPGRADE_ROOTFS].size,
		 hex[UPGRADE_ROOTFS]);
	/* Numbers may have zeros in front. */
	ASSERT(text.len > strlen(again) || slice_equal(text, slice_of(again)));
}

static void check_versions(struct slice text)
{
	struct slice b = text;
	struct slice a = slice_split(&b, '\n');

	if (!b.ptr || !upgrade_version_is_sound(a) || !upgrade_version_is_sound(b))
		return;
	ASSERT(upgrade_version_compare(a, b) == -upgrade_version_compare(b, a));
}

static void check_block(const u8 *data, size_t size)
{
	struct slot_block block;
	struct slice other;
	char kept[SLOT_BLOCK_SIZE];

	memset(block.bytes, '#', sizeof(block.bytes));
	memcpy(block.bytes, "# GRUB Environment Block\n", 25);
	memcpy(block.bytes + 25, data, min_size(size, sizeof(block.bytes) - 25));
	if (!slot_block_is_sound(&block))
		return;
	other = slot_block_get(&block, SLICE("other"));
	if (other.ptr)
		memcpy(kept, other.ptr, other.len);
	if (!slot_block_set(&block, SLICE("try"), SLICE("b")))
		return;
	ASSERT(slot_block_is_sound(&block));
	ASSERT(slice_equal(slot_block_get(&block, SLICE("try")), SLICE("b")));
	ASSERT(slice_equal(slot_block_get(&block, SLICE("other")), (struct slice){ kept, other.len }));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct upgrade_head head;
	struct error error = { "" };
	struct slice text = { (const char *)data, size };

	if (size >= UPGRADE_HEAD_SIZE && upgrade_head_read(&head, data, &error))
		ASSERT(head.release_len > 0 && head.release_len <= UPGRADE_RELEASE_MAX);
	check_release(text);
	check_versions(text);
	check_block(data, size);
	return 0;
}
