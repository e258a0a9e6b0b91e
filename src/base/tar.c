#include "base/tar.h"

#include <string.h>

/* Offsets and lengths of the fields. */
#define NAME 0
#define MODE 100
#define OWNER 108
#define GROUP 116
#define SIZE 124
#define TIME 136
#define CHECKSUM 148
#define KIND 156
#define MAGIC 257
#define PREFIX 345

#define NAME_FIELD 100 /* bytes of it; ours end with a NUL within */
#define LONG_NAME "././@LongLink"

#define OCTAL_SIZE_MAX 077777777777ull

size_t tar_padding(u64 size)
{
	return (size_t)((TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK);
}

/* The sum of all bytes, those of the sum itself as spaces. */
static u32 checksum_of(const u8 block[TAR_BLOCK])
{
	u32 sum = 0;

	for (u32 i = 0; i < TAR_BLOCK; i++)
		sum += i >= CHECKSUM && i < CHECKSUM + 8 ? ' ' : block[i];
	return sum;
}

static void put_octal(u8 *at, size_t digits, u64 value)
{
	for (size_t i = digits; i-- > 0; value >>= 3)
		at[i] = (u8)('0' + (value & 7));
}

static void put_size(u8 *at, u64 size)
{
	if (size <= OCTAL_SIZE_MAX) {
		put_octal(at, 11, size);
		return;
	}
	/* The first bit set, then the number, big-endian. */
	at[0] = 0x80;
	for (u32 i = 0; i < 8; i++)
		at[11 - i] = (u8)(size >> (8 * i));
}

static void write_block(u8 block[TAR_BLOCK], const char *name, u8 kind, u64 size,
			const struct tar_entry *entry)
{
	memset(block, 0, TAR_BLOCK);
	memcpy(block + NAME, name, strnlen(name, NAME_FIELD - 1));
	put_octal(block + MODE, 7, entry->mode & 0777);
	put_octal(block + OWNER, 7, 0);
	put_octal(block + GROUP, 7, 0);
	put_size(block + SIZE, size);
	put_octal(block + TIME, 11, entry->time_s & OCTAL_SIZE_MAX);
	block[KIND] = kind;
	memcpy(block + MAGIC, "ustar\00000", 8);
	put_octal(block + CHECKSUM, 6, checksum_of(block));
	block[CHECKSUM + 7] = ' ';
}

size_t tar_write(u8 head[TAR_HEAD_MAX], const struct tar_entry *entry)
{
	size_t len = strlen(entry->name);
	size_t at = 0;

	if (len == 0)
		return 0;
	if (len >= NAME_FIELD) {
		write_block(head, LONG_NAME, 'L', len + 1, entry);
		memset(head + TAR_BLOCK, 0, TAR_BLOCK);
		memcpy(head + TAR_BLOCK, entry->name, len);
		at = 2 * TAR_BLOCK;
	}
	write_block(head + at, entry->name, '0', entry->size, entry);
	return at + TAR_BLOCK;
}

/* Digits up to a NUL or a space; false on anything else. */
static bool get_octal(const u8 *at, size_t len, u64 *value)
{
	size_t i = 0;

	*value = 0;
	while (i < len && at[i] == ' ')
		i++;
	if (i == len)
		return false;
	for (; i < len && at[i] != '\0' && at[i] != ' '; i++) {
		if (at[i] < '0' || at[i] > '7')
			return false;
		*value = *value << 3 | (u64)(at[i] - '0');
	}
	return true;
}

static bool get_size(const u8 *at, u64 *size)
{
	if (at[0] != 0x80)
		return get_octal(at, 12, size);
	*size = 0;
	for (u32 i = 1; i < 4; i++) {
		if (at[i] != 0)
			return false;
	}
	for (u32 i = 4; i < 12; i++)
		*size = *size << 8 | at[i];
	return *size <= INT64_MAX;
}

enum tar_result tar_read(const u8 block[TAR_BLOCK], struct tar_entry *entry)
{
	static const u8 zeros[TAR_BLOCK];
	u64 sum;
	u64 mode;

	if (memcmp(block, zeros, TAR_BLOCK) == 0)
		return TAR_END;
	if (!get_octal(block + CHECKSUM, 8, &sum) || sum != checksum_of(block) ||
	    memcmp(block + MAGIC, "ustar", 5) != 0)
		return TAR_BAD;
	/* Links, folders, devices: nothing of ours has any. */
	if ((block[KIND] != '0' && block[KIND] != '\0' && block[KIND] != 'L') ||
	    block[PREFIX] != '\0' || !memchr(block + NAME, '\0', NAME_FIELD) || block[NAME] == '\0')
		return TAR_BAD;
	if (!get_octal(block + MODE, 8, &mode) || !get_size(block + SIZE, &entry->size) ||
	    !get_octal(block + TIME, 12, &entry->time_s))
		return TAR_BAD;
	if (block[KIND] == 'L')
		return entry->size > NAME_FIELD && entry->size <= TAR_NAME_MAX + 1 ? TAR_LONG_NAME
										   : TAR_BAD;
	entry->mode = (u32)mode & 0777;
	memcpy(entry->name, block + NAME, NAME_FIELD);
	return TAR_ENTRY;
}

bool tar_read_long_name(const u8 block[TAR_BLOCK], char name[TAR_NAME_MAX + 1])
{
	size_t len = strnlen((const char *)block, TAR_NAME_MAX + 1);

	if (len < NAME_FIELD || len > TAR_NAME_MAX)
		return false;
	memcpy(name, block, len + 1);
	return true;
}
