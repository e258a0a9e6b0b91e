/* Who may hand in mail: the file of users (base/user_file.h). */
#include "console/command.h"

#include "base/config.h"
#include "base/random.h"
#include "base/text.h"
#include "base/user_file.h"
#include "console/human.h"
#include "console/link.h"
#include "message/address.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define GROUP_ON_APPLIANCE 110 /* hikyaku, as in sender_config.c */
#define PASSWORD_SIZE 257
#define PASSWORD_MIN 10
#define GENERATED_BYTES 13 /* of randomness: 104 bits */
#define GENERATED_GROUP 5
#define GENERATED_LENGTH 20

/* The configuration and the file that it names. */
struct book {
	struct config config;
	struct user_file file;
	const char *path;
};

static bool open_book(const struct console *console, struct book *book)
{
	char path[CONSOLE_PATH_SIZE];
	struct error error;

	if (!config_read(&book->config, console_config_path(console, path), &error)) {
		console_fail_error(console, CONSOLE_FAILED, &error);
		return false;
	}
	book->path = book->config.submission.users;
	if (!book->path) {
		console_fail(console, CONSOLE_FAILED, "%s: no section \"submission\"", path);
		config_free(&book->config);
		return false;
	}
	if (user_file_read(&book->file, book->path, &error))
		return true;
	console_fail_error(console, CONSOLE_FAILED, &error);
	config_free(&book->config);
	return false;
}

static void close_book(struct book *book)
{
	user_file_free(&book->file);
	config_free(&book->config);
}

/* On the appliance the console's user writes it, and the receiver reads it as one of a group. */
static int write_book(const struct console *console, const struct book *book)
{
	struct error error;
	bool appliance = link_has_init();
	bool ok = user_file_write(&book->file, book->path, appliance ? 0640 : 0600, &error);

	if (ok && appliance && chown(book->path, (uid_t)-1, GROUP_ON_APPLIANCE) < 0 &&
	    errno != EPERM)
		ok = error_set_errno(&error, errno, "%s: its group cannot be set", book->path);
	return ok ? CONSOLE_OK : console_fail_error(console, CONSOLE_FAILED, &error);
}

/* ---- passwords ---- */

/* "k3v0t-8m2qa-...": said over a telephone without doubt, and long enough for ever. */
static void generate(char password[PASSWORD_SIZE])
{
	u8 bytes[GENERATED_BYTES];
	char letters[(GENERATED_BYTES * 8 + 4) / 5];
	size_t n = 0;

	random_bytes(bytes, sizeof(bytes));
	base32_encode(letters, bytes, sizeof(bytes));
	for (size_t i = 0; i < GENERATED_LENGTH; i++) {
		if (i > 0 && i % GENERATED_GROUP == 0)
			password[n++] = '-';
		password[n++] = letters[i];
	}
	password[n] = '\0';
	explicit_bzero(bytes, sizeof(bytes));
	explicit_bzero(letters, sizeof(letters));
}

/* One line of standard input, which a terminal does not show. */
static bool read_hidden(const char *prompt, char password[PASSWORD_SIZE])
{
	struct termios old;
	struct termios hidden;
	bool terminal = tcgetattr(STDIN_FILENO, &old) == 0;
	char *line;

	if (terminal) {
		hidden = old;
		hidden.c_lflag &= ~(tcflag_t)ECHO;
		fputs(prompt, stderr);
		if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) < 0)
			return false;
	}
	line = fgets(password, PASSWORD_SIZE, stdin);
	if (terminal) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
		fputc('\n', stderr);
	}
	if (line)
		password[strcspn(password, "\r\n")] = '\0';
	return line != NULL;
}

static bool ask(const struct console *console, char password[PASSWORD_SIZE])
{
	char again[PASSWORD_SIZE];
	bool same = true;

	if (!read_hidden("Password: ", password)) {
		console_fail(console, CONSOLE_FAILED, "no password was given");
		return false;
	}
	if (strlen(password) < PASSWORD_MIN || strlen(password) >= PASSWORD_SIZE - 2) {
		console_fail(console, CONSOLE_FAILED, "a password has %u to %u bytes",
			     PASSWORD_MIN, PASSWORD_SIZE - 3);
		return false;
	}
	if (isatty(STDIN_FILENO))
		same = read_hidden("Again: ", again) && strcmp(password, again) == 0;
	explicit_bzero(again, sizeof(again));
	if (!same)
		console_fail(console, CONSOLE_FAILED, "that was not the same password");
	return same;
}

/* Fills in what is kept of a password that is asked for or made. */
static bool set_password(const struct console *console, struct user *user, bool asks,
			 char password[PASSWORD_SIZE])
{
	struct buf kept = { .ptr = user->password,
			    .size = sizeof(user->password),
			    .max = sizeof(user->password) };

	if (!asks)
		generate(password);
	else if (!ask(console, password))
		return false;
	if (!crypto_password_keep(slice_of(password), &kept) || kept.len >= kept.size) {
		console_fail(console, CONSOLE_FAILED, "out of memory for the password");
		return false;
	}
	user->password[kept.len] = '\0';
	return true;
}

/* The one time that a password is shown. */
static void tell(const struct console *console, const struct user *user, const char *password)
{
	json_t *json;

	if (console->json) {
		json = json_pack("{s:s, s:s, s:s, s:s?}", "user", user->name, "customer",
				 user->customer, "from", user->from, "password", password);
		link_print_json(json);
		json_decref(json);
		return;
	}
	printf("user      %s\ncustomer  %s\nfrom      %s\n", user->name, user->customer,
	       strcmp(user->from, USER_ANY_FROM) == 0 ? "any address of that domain" : user->from);
	if (password)
		printf("password  %s\n\nIt is not kept, and not shown again.\n", password);
}

/* ---- user add ---- */

static struct slice domain_of(struct slice address)
{
	i64 at = slice_find_char(address, '@');

	return at < 0 ? SLICE_NONE : slice_from(address, (size_t)at + 1);
}

static const struct config_customer *choose_customer(const struct console *console,
						     const struct config *config,
						     const char *name, const char *given)
{
	const struct config_customer *customer;

	if (given)
		customer = config_customer_of(config, slice_of(given));
	else
		customer = config->customer_count == 1
				   ? &config->customers[0]
				   : config_customer_of(config, domain_of(slice_of(name)));
	if (!customer && given)
		console_fail(console, CONSOLE_FAILED, "there is no customer \"%.200s\"", given);
	else if (!customer)
		console_fail(console, CONSOLE_USAGE, "--customer: whose mail is it to be?");
	return customer;
}

/* Each address as it is compared; all at the customer's domain, for mail is signed by it. */
static bool take_addresses(const struct console *console, struct slice list,
			   const struct config_customer *customer, struct buf *out)
{
	while (list.ptr) {
		struct slice item = slice_trim(slice_split(&list, ','));
		struct address address;
		struct error error;

		if (!address_parse(&address, item, &error)) {
			console_fail(console, CONSOLE_USAGE, "--from: %s", error.text);
			return false;
		}
		if (strcmp(address.domain, customer->domain) != 0) {
			console_fail(console, CONSOLE_USAGE,
				     "--from: %.*s is not at %s, whose mail it is to be",
				     SLICE_FMT(slice_first(item, 200)), customer->domain);
			return false;
		}
		if (out->len > 0)
			buf_add_char(out, ',');
		address_add_key(&address, out);
	}
	for (size_t i = 0; i < out->len; i++)
		out->failed |= out->ptr[i] <= ' ' || out->ptr[i] > '~';
	if (out->failed)
		console_fail(console, CONSOLE_USAGE,
			     "--from: too many addresses, or one with characters that are not "
			     "visible ASCII");
	return !out->failed;
}

/* An address as its name may send as that one; any other name as everybody of the domain. */
static bool choose_from(const struct console *console, const char *name, const char *given,
			const struct config_customer *customer, struct buf *out)
{
	if (given && strcmp(given, "domain") != 0)
		return take_addresses(console, slice_of(given), customer, out);
	if (!given && slice_equal_nocase(domain_of(slice_of(name)), slice_of(customer->domain)))
		return take_addresses(console, slice_of(name), customer, out);
	buf_add_text(out, USER_ANY_FROM);
	return !out->failed;
}

static int add_user(const struct console *console, struct book *book, struct user *user, bool asks)
{
	char password[PASSWORD_SIZE];
	int code = CONSOLE_FAILED;
	struct error error;

	if (set_password(console, user, asks, password)) {
		if (!user_file_put(&book->file, user, &error))
			code = console_fail_error(console, CONSOLE_FAILED, &error);
		else
			code = write_book(console, book);
	}
	if (code == CONSOLE_OK)
		tell(console, user, asks ? NULL : password);
	explicit_bzero(password, sizeof(password));
	return code;
}

int user_add_run(struct console *console, int argc, char **argv)
{
	const struct config_customer *customer;
	const char *customer_name = NULL;
	const char *from = NULL;
	struct user user = { .name = "" };
	struct book book;
	bool asks = false;
	struct buf list;
	int code;
	const struct option options[] = {
		{ "customer", OPTION_TEXT, &customer_name, "DOMAIN", "whose mail it is", NULL },
		{ "from", OPTION_TEXT, &from, "A,B|domain",
		  "addresses to send as, or all of the domain", NULL },
		{ "ask", OPTION_FLAG, &asks, NULL,
		  "read the password (standard input) instead", NULL },
	};

	if (!console_arguments(console, options, array_count(options), argc, argv, 1, 1, &code))
		return code;
	if (!user_name_is_valid(slice_of(argv[0])))
		return console_fail(console, CONSOLE_USAGE,
				    "a user's name has 1 to %u visible ASCII characters, no comma",
				    USER_NAME_MAX);
	if (!open_book(console, &book))
		return CONSOLE_FAILED;
	buf_init(&list, USER_FROM_MAX);
	customer = choose_customer(console, &book.config, argv[0], customer_name);
	if (user_file_find(&book.file, slice_of(argv[0]))) {
		code = console_fail(console, CONSOLE_FAILED,
				    "%s is there already: `user passwd` gives another password",
				    argv[0]);
	} else if (!customer || !choose_from(console, argv[0], from, customer, &list)) {
		code = CONSOLE_USAGE;
	} else {
		slice_copy(user.name, sizeof(user.name), slice_of(argv[0]));
		slice_copy(user.customer, sizeof(user.customer), slice_of(customer->domain));
		buf_add_char(&list, '\0');
		user.from = list.ptr;
		code = list.failed ? console_fail(console, CONSOLE_FAILED, "out of memory")
				   : add_user(console, &book, &user, asks);
	}
	buf_done(&list);
	close_book(&book);
	return code;
}

/* ---- the others ---- */

static int no_user(const struct console *console, const struct book *book, const char *name)
{
	return console_fail(console, CONSOLE_FAILED, "%s: there is no user \"%.100s\"", book->path,
			    name);
}

int user_passwd_run(struct console *console, int argc, char **argv)
{
	const struct user *found;
	struct user user;
	struct book book;
	bool asks = false;
	int code;
	const struct option options[] = {
		{ "ask", OPTION_FLAG, &asks, NULL,
		  "read the password (standard input) instead", NULL },
	};

	if (!console_arguments(console, options, array_count(options), argc, argv, 1, 1, &code))
		return code;
	if (!open_book(console, &book))
		return CONSOLE_FAILED;
	found = user_file_find(&book.file, slice_of(argv[0]));
	if (found) {
		char from[USER_FROM_MAX + 1];

		user = *found;
		slice_copy(from, sizeof(from), slice_of(found->from));
		user.from = from;
		code = add_user(console, &book, &user, asks);
	} else {
		code = no_user(console, &book, argv[0]);
	}
	close_book(&book);
	return code;
}

int user_remove_run(struct console *console, int argc, char **argv)
{
	struct book book;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, &code))
		return code;
	if (!open_book(console, &book))
		return CONSOLE_FAILED;
	code = user_file_remove(&book.file, slice_of(argv[0])) ? write_book(console, &book)
							       : no_user(console, &book, argv[0]);
	close_book(&book);
	return code;
}

int user_list_run(struct console *console, int argc, char **argv)
{
	static const char *const titles[] = { "user", "customer", "may send as" };
	struct table table;
	struct book book;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	if (!open_book(console, &book))
		return CONSOLE_FAILED;
	table_init(&table, stdout, titles, array_count(titles), 0);
	for (u32 i = 0; i < book.file.count; i++) {
		const struct user *user = &book.file.users[i];
		json_t *json;

		if (console->json) {
			json = json_pack("{s:s, s:s, s:s}", "user", user->name, "customer",
					 user->customer, "from", user->from);
			link_print_json(json);
			json_decref(json);
			continue;
		}
		table_text(&table, slice_of(user->name));
		table_text(&table, slice_of(user->customer));
		table_text(&table, strcmp(user->from, USER_ANY_FROM) == 0
					   ? SLICE("any address of the domain")
					   : slice_of(user->from));
	}
	table_done(&table);
	close_book(&book);
	return code;
}
