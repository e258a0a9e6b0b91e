/*
 * What a new system comes in: one file, a "bundle", read from front to end once.
 *
 *   offset  bytes
 *   0       8      "HKYBNDL1"
 *   8       4      N, the length of the release text, big-endian, at most 4096
 *   12      64     Ed25519 signature (RFC 8032) over the release text
 *   76      N      the release text
 *   76+N           the kernel, then the root file system; nothing behind them
 *
 * The release text, each line ended by a line feed, in this order and nothing else:
 *
 *   hikyaku release 1
 *   version 1.4.0
 *   kernel 8974336 <SHA-256, 64 lower-case hex digits>
 *   rootfs 11534336 <SHA-256>
 *
 * The numbers are bytes. The text's first line keeps a signature from meaning anything else. It is
 * checked before a byte of what follows is looked at. Nothing here reads or writes a file.
 */
#ifndef INIT_UPGRADE_BUNDLE_H
#define INIT_UPGRADE_BUNDLE_H

#include "base/crypto.h"
#include "base/error.h"
#include "base/types.h"

#define UPGRADE_HEAD_SIZE 76
#define UPGRADE_RELEASE_MAX 4096
#define UPGRADE_PART_MAX (64u << 20) /* bytes; a slot's share of the ESP is less */
#define UPGRADE_VERSION_MAX 32

enum upgrade_part { UPGRADE_KERNEL, UPGRADE_ROOTFS, UPGRADE_PARTS };

/* "kernel", "rootfs": in the text, and as files. */
const char *upgrade_part_name(enum upgrade_part part);

struct upgrade_head {
	u32 release_len;
	u8 signature[CRYPTO_ED25519_SIGNATURE];
};

struct upgrade_release {
	char version[UPGRADE_VERSION_MAX];
	struct {
		u64 size; /* 1 to UPGRADE_PART_MAX */
		u8 sha256[SHA256_SIZE];
	} parts[UPGRADE_PARTS];
};

/* False: it is no bundle, or one of a kind that this version does not know. */
bool upgrade_head_read(struct upgrade_head *head, const u8 bytes[UPGRADE_HEAD_SIZE],
		       struct error *error) MUST_CHECK;

/* False, with the line's number: not a release text as above. */
bool upgrade_release_read(struct upgrade_release *release, struct slice text, struct error *error)
	MUST_CHECK;

/* One to four numbers with dots between them, none above 999999. */
bool upgrade_version_is_sound(struct slice version);
/* <0, 0, >0 as a is older than, as old as, newer than b; missing numbers are 0. Both sound. */
int upgrade_version_compare(struct slice a, struct slice b);

#endif
