/*
 * Who may submit mail: the file of users, one line each, that `hikyaku user` writes and `hikyaku
 * receive` reads. Small (USER_FILE_MAX users), read whole, replaced whole (base/durable.h). A line
 * is
 *
 *   NAME CUSTOMER FROM PASSWORD
 *
 * with single spaces between: the customer's domain, the addresses that may stand in From and MAIL
 * FROM (separated by commas, as address_add_key writes them; `*`: every one of that domain), and
 * the password as crypto_password_keep keeps it. Lines that are empty or begin with # are skipped;
 * they are lost at the next change.
 */
#ifndef BASE_USER_FILE_H
#define BASE_USER_FILE_H

#include "base/crypto.h"
#include "base/error.h"
#include "base/types.h"

#define USER_FILE_MAX 2000
#define USER_NAME_MAX 64
#define USER_CUSTOMER_MAX 253
#define USER_FROM_MAX 2000
#define USER_ANY_FROM "*"

struct user {
	char name[USER_NAME_MAX + 1];
	char customer[USER_CUSTOMER_MAX + 1];
	char password[CRYPTO_PASSWORD_TEXT];
	char *from; /* the file's own memory */
};

struct user_file {
	struct user *users; /* in the order of the file */
	u32 count;
	u32 size; /* that there is memory for */
};

/* 1 to USER_NAME_MAX visible ASCII characters that are no comma and do not begin with #. */
bool user_name_is_valid(struct slice name);

/*
 * A file that is not there has no users. False: `error` names the file and the line; then there is
 * nothing to free.
 */
bool user_file_read(struct user_file *file, const char *path, struct error *error) MUST_CHECK;
/* The same from memory; `name` stands for the file. */
bool user_file_parse(struct user_file *file, struct slice text, const char *name,
		     struct error *error) MUST_CHECK;
void user_file_free(struct user_file *file);

/* Names are told apart as they are written. NULL: nobody has it. */
const struct user *user_file_find(const struct user_file *file, struct slice name);
/* Adds the user, or puts it in the place of the one of that name. Texts are copied. */
bool user_file_put(struct user_file *file, const struct user *user, struct error *error) MUST_CHECK;
bool user_file_remove(struct user_file *file, struct slice name); /* false: nobody has it */
/* A new file belongs to whom its folder belongs to, where that may be given. `mode`: 0600, or what
   those need who read it. */
bool user_file_write(const struct user_file *file, const char *path, u32 mode,
		     struct error *error) MUST_CHECK;

/* Whether an address, as address_add_key writes it, is one that the user may send as. */
bool user_may_send_as(const struct user *user, struct slice key);

#endif
