#include "base/user_file.h"

#include "base/buf.h"
#include "base/durable.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES                                                                             \
	(USER_NAME_MAX + USER_CUSTOMER_MAX + USER_FROM_MAX + CRYPTO_PASSWORD_TEXT + 4)
#define FILE_BYTES_MAX ((size_t)USER_FILE_MAX * 600)

static bool is_visible(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
			return false;
	}
	return text.len > 0;
}

bool user_name_is_valid(struct slice name)
{
	return name.len <= USER_NAME_MAX && is_visible(name) && name.ptr[0] != '#' &&
	       slice_find_char(name, ',') < 0;
}

/* ---- in memory ---- */

static struct user *find(const struct user_file *file, struct slice name)
{
	for (u32 i = 0; i < file->count; i++) {
		if (slice_equal(name, slice_of(file->users[i].name)))
			return &file->users[i];
	}
	return NULL;
}

const struct user *user_file_find(const struct user_file *file, struct slice name)
{
	return find(file, name);
}

static struct user *add(struct user_file *file)
{
	u32 size = file->size ? 2 * file->size : 16;
	struct user *users;

	if (file->count == file->size) {
		users = realloc(file->users, size * sizeof(*users));
		if (!users)
			return NULL;
		file->users = users;
		file->size = size;
	}
	return &file->users[file->count++];
}

bool user_file_put(struct user_file *file, const struct user *user, struct error *error)
{
	struct user *place = find(file, slice_of(user->name));
	char *from;

	if (!place && file->count == USER_FILE_MAX)
		return error_set(error, "there are %u users already", USER_FILE_MAX);
	from = strdup(user->from);
	if (from && place)
		free(place->from);
	else if (from)
		place = add(file);
	if (!from || !place) {
		free(from);
		return error_set(error, "out of memory for users");
	}
	*place = *user;
	place->from = from;
	return true;
}

bool user_file_remove(struct user_file *file, struct slice name)
{
	struct user *place = find(file, name);

	if (!place)
		return false;
	free(place->from);
	file->count--;
	memmove(place, place + 1, (size_t)(file->users + file->count - place) * sizeof(*place));
	return true;
}

void user_file_free(struct user_file *file)
{
	for (u32 i = 0; i < file->count; i++)
		free(file->users[i].from);
	free(file->users);
	*file = (struct user_file){ .users = NULL };
}

bool user_may_send_as(const struct user *user, struct slice key)
{
	struct slice rest = slice_of(user->from);
	i64 at = -1;

	for (size_t i = 0; i < key.len; i++) {
		if (key.ptr[i] == '@')
			at = (i64)i;
	}
	/* Mail is signed for the customer's domain: another one would not align. */
	if (at < 0 ||
	    !slice_equal_nocase(slice_from(key, (size_t)at + 1), slice_of(user->customer)))
		return false;
	while (rest.ptr) {
		struct slice item = slice_split(&rest, ',');

		if (slice_equal(item, SLICE(USER_ANY_FROM)) || slice_equal_nocase(item, key))
			return true;
	}
	return false;
}

/* ---- the file ---- */

/* What is wrong with the line; NULL: nothing. */
static const char *read_line(struct slice line, struct user *user, char from[USER_FROM_MAX + 1])
{
	struct slice rest = line;
	struct slice name = slice_split(&rest, ' ');
	struct slice customer = slice_split(&rest, ' ');
	struct slice addresses = slice_split(&rest, ' ');

	if (!user_name_is_valid(name))
		return "its name is none";
	if (!is_visible(customer) || !is_visible(addresses) ||
	    !slice_copy(user->customer, sizeof(user->customer), customer) ||
	    !slice_copy(from, USER_FROM_MAX + 1, addresses))
		return "name, customer, addresses and password are needed";
	if (!crypto_password_is_kept(rest) ||
	    !slice_copy(user->password, sizeof(user->password), rest))
		return "its password is not one that was kept";
	slice_copy(user->name, sizeof(user->name), name);
	user->from = from;
	return NULL;
}

static bool read_lines(struct user_file *file, struct slice text, const char *path,
		       struct error *error)
{
	u32 number = 0;

	while (text.ptr) {
		struct slice line = slice_split(&text, '\n');
		char from[USER_FROM_MAX + 1];
		struct user user;
		const char *fault;

		number++;
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		fault = line.len > LINE_MAX_BYTES ? "the line is too long"
						  : read_line(line, &user, from);
		if (fault)
			return error_set(error, "%s:%u: %s", path, number, fault);
		if (find(file, slice_of(user.name)))
			return error_set(error, "%s:%u: this user is there twice", path, number);
		if (!user_file_put(file, &user, error))
			return error_prefix(error, "%s:%u", path, number);
	}
	return true;
}

bool user_file_parse(struct user_file *file, struct slice text, const char *name,
		     struct error *error)
{
	*file = (struct user_file){ .users = NULL };
	if (text.len > FILE_BYTES_MAX)
		return error_set(error, "%s: the file is too large", name);
	if (read_lines(file, text, name, error))
		return true;
	user_file_free(file);
	return false;
}

bool user_file_read(struct user_file *file, const char *path, struct error *error)
{
	struct slice text;
	bool ok;

	*file = (struct user_file){ .users = NULL };
	if (!file_read(path, FILE_BYTES_MAX, &text, error))
		return errno == ENOENT;
	ok = user_file_parse(file, text, path, error);
	explicit_bzero((char *)text.ptr, text.len);
	free((char *)text.ptr);
	return ok;
}

/* Root writes it for a user who reads it. */
static bool give_to_owner_of_folder(const char *path, struct error *error)
{
	char folder[PATH_MAX];
	struct stat st;

	if (geteuid() != 0 || !slice_copy(folder, sizeof(folder), slice_of(path)))
		return true;
	if (stat(dirname(folder), &st) < 0 || chown(path, st.st_uid, st.st_gid) < 0)
		return error_set_errno(error, errno, "%s: its owner cannot be set", path);
	return true;
}

bool user_file_write(const struct user_file *file, const char *path, u32 mode,
		     struct error *error)
{
	bool is_new = access(path, F_OK) != 0;
	struct buf text;
	bool ok;

	buf_init(&text, FILE_BYTES_MAX);
	for (u32 i = 0; i < file->count; i++)
		buf_add_format(&text, "%s %s %s %s\n", file->users[i].name, file->users[i].customer,
			       file->users[i].from, file->users[i].password);
	ok = !text.failed || error_set(error, "%s: the file would be too large", path);
	ok = ok && durable_replace(path, buf_slice(&text), mode, error) &&
	     (!is_new || give_to_owner_of_folder(path, error));
	buf_done(&text);
	return ok;
}
