#include "console/certificate.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/durable.h"
#include "base/text.h"
#include "console/human.h"
#include "console/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RUN_DEFAULT "/run/www" /* as long as there is no configuration */
#define STATE "/state.json"
#define PEM_MAX (256u << 10)
#define FILE_MODE 0640
#define DAY_S (24 * 60 * 60)

static void print_text(const char *title, struct slice text)
{
	struct buf shown;

	buf_init(&shown, 4096);
	human_text(&shown, text);
	printf("%-12s %s\n", title, buf_text(&shown));
	buf_done(&shown);
}

static void print_names(const json_t *certificate)
{
	const json_t *names = json_object_get(certificate, "names");
	struct buf text;

	buf_init(&text, 32u << 10);
	for (size_t i = 0; i < json_array_size(names); i++)
		buf_add_format(&text, "%s%s", i > 0 ? ", " : "",
			       json_string_value(json_array_get(names, i)));
	print_text("names", buf_slice(&text));
	if (!answer_flag(certificate, "is_for_names"))
		puts("             IT IS NOT FOR ALL OF THESE");
	buf_done(&text);
}

static void print_kind(const json_t *certificate)
{
	struct slice kind = answer_text(certificate, "kind");
	struct slice issuer = answer_text(certificate, "issuer");
	char text[256];

	if (slice_equal(kind, SLICE("self-signed")))
		snprintf(text, sizeof(text), "nobody vouches for it: browsers warn of it");
	else if (slice_equal(kind, SLICE("acme")))
		snprintf(text, sizeof(text), "got from an authority, %.*s", SLICE_FMT(issuer));
	else if (slice_equal(kind, SLICE("own")))
		snprintf(text, sizeof(text), "your own, from %.*s", SLICE_FMT(issuer));
	else
		snprintf(text, sizeof(text), "none: pages are served in the clear");
	print_text("certificate", slice_of(text));
}

static void print_dates(const json_t *certificate, u64 now_s)
{
	u64 until_s = answer_number(certificate, "until_s");
	struct buf text;

	if (until_s == 0)
		return;
	buf_init(&text, 256);
	human_time(&text, answer_number(certificate, "from_s") * MS_PER_S);
	buf_add_text(&text, " to ");
	human_time(&text, until_s * MS_PER_S);
	buf_add_char(&text, ' ');
	human_zone(&text, until_s * MS_PER_S);
	if (until_s <= now_s)
		buf_add_text(&text, ": IT IS OVER");
	else
		buf_add_format(&text, ": %llu days left",
			       (unsigned long long)((until_s - now_s) / DAY_S));
	print_text("valid", buf_slice(&text));
	buf_done(&text);
}

static void print_renewal(const json_t *acme)
{
	struct buf text;

	if (!acme || answer_number(acme, "failures") == 0)
		return;
	buf_init(&text, 256);
	human_number(&text, answer_number(acme, "failures"));
	buf_add_text(&text, " attempts FAILED, again at ");
	human_time(&text, answer_number(acme, "next_ms"));
	print_text("renewal", buf_slice(&text));
	print_text("", answer_text(acme, "trouble"));
	buf_done(&text);
}

/* ---- for others ---- */

json_t *certificate_read(const struct config *config)
{
	char path[CONSOLE_PATH_SIZE + 64];
	json_t *state;

	snprintf(path, sizeof(path), "%s" STATE, config ? config->www.run : RUN_DEFAULT);
	state = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	if (json_object_get(state, "certificate"))
		return state;
	json_decref(state);
	return NULL;
}

json_t *certificate_read_here(const struct console *console)
{
	char path[CONSOLE_PATH_SIZE];
	struct config config;
	struct error ignored;
	json_t *state;

	if (!config_read(&config, console_config_path(console, path), &ignored))
		return certificate_read(NULL);
	state = certificate_read(&config);
	config_free(&config);
	return state;
}

static u64 days_left(const json_t *certificate, u64 now_ms)
{
	u64 until_s = answer_number(certificate, "until_s");

	return until_s > now_ms / MS_PER_S ? (until_s - now_ms / MS_PER_S) / DAY_S : 0;
}

static void add_days(struct buf *out, u64 days)
{
	buf_add_format(out, "%llu day%s", (unsigned long long)days, days == 1 ? "" : "s");
}

static bool is_over(const json_t *certificate, u64 now_ms)
{
	return answer_number(certificate, "until_s") <= now_ms / MS_PER_S;
}

/* "mail.example.jp (+2)" */
static void add_names(struct buf *out, const json_t *certificate)
{
	const json_t *names = json_object_get(certificate, "names");
	const char *first = json_string_value(json_array_get(names, 0));

	human_text(out, slice_of(first ? first : "?"));
	if (json_array_size(names) > 1)
		buf_add_format(out, " (+%zu)", json_array_size(names) - 1);
}

static bool is_kind(const json_t *certificate, const char *kind)
{
	return slice_equal(answer_text(certificate, "kind"), slice_of(kind));
}

static bool has_certificate(const json_t *certificate)
{
	return is_kind(certificate, "acme") || is_kind(certificate, "own") ||
	       is_kind(certificate, "self-signed");
}

void certificate_add_line(struct buf *out, const json_t *state, u64 now_ms)
{
	const json_t *certificate = json_object_get(state, "certificate");
	u64 failures = answer_number(json_object_get(state, "acme"), "failures");

	add_names(out, certificate);
	buf_add_text(out, ": ");
	if (!has_certificate(certificate)) {
		buf_add_text(out, "no certificate, pages are served in the clear");
	} else {
		buf_add_text(out, is_kind(certificate, "acme") ? "certificate of an authority" :
				  is_kind(certificate, "own")  ? "certificate of your own" :
								 "SELF-SIGNED CERTIFICATE");
		if (is_over(certificate, now_ms)) {
			buf_add_text(out, ", IT IS OVER");
		} else {
			buf_add_text(out, ", ");
			add_days(out, days_left(certificate, now_ms));
			buf_add_text(out, " left");
		}
		if (!answer_flag(certificate, "is_for_names"))
			buf_add_text(out, ", NOT FOR ALL NAMES");
	}
	if (failures > 0)
		buf_add_format(out, ", RENEWAL FAILS (%llu)", (unsigned long long)failures);
}

bool certificate_add_warning(struct buf *out, const json_t *state, u64 now_ms)
{
	const json_t *certificate = json_object_get(state, "certificate");
	const json_t *acme = json_object_get(state, "acme");
	const size_t before = out->len;

	if (!has_certificate(certificate))
		return false;
	if (is_over(certificate, now_ms)) {
		buf_add_text(out, "the web server's certificate is over");
	} else if (days_left(certificate, now_ms) < CERTIFICATE_SOON_DAYS) {
		buf_add_text(out, "the web server's certificate ends in ");
		add_days(out, days_left(certificate, now_ms));
	} else if (!answer_flag(certificate, "is_for_names")) {
		buf_add_text(out, "the web server's certificate is not for all of its names");
	}
	if (answer_number(acme, "failures") > 0) {
		buf_add_text(out, out->len > before ? ", and" : "the web server's certificate");
		buf_add_text(out, " cannot be renewed: ");
		human_text(out, answer_text(acme, "trouble"));
	}
	if (out->len > before)
		buf_add_text(out, " (`certificate show`)");
	return out->len > before;
}

/* ---- showing ---- */

int certificate_show_run(struct console *console, int argc, char **argv)
{
	const json_t *certificate;
	json_t *state;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	state = certificate_read_here(console);
	if (!state)
		return console_fail(console, CONSOLE_FAILED,
				    "the web server (hikyaku www) has not told anything");
	certificate = json_object_get(state, "certificate");
	if (console->json) {
		link_print_json(state);
	} else {
		print_names(certificate);
		print_kind(certificate);
		print_dates(certificate, clock_wall_ms() / MS_PER_S);
		if (answer_text(certificate, "trouble").len > 0)
			print_text("trouble", answer_text(certificate, "trouble"));
		print_renewal(json_object_get(state, "acme"));
	}
	json_decref(state);
	return CONSOLE_OK;
}

/* ---- the operator's own ---- */

/* All of the standard input. False: told why. */
static bool read_input(struct console *console, struct buf *pem)
{
	char *room;
	ssize_t n;

	while ((room = buf_reserve(pem, 4096))) {
		n = read(STDIN_FILENO, room, 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			return true;
		if (n < 0) {
			console_fail(console, CONSOLE_FAILED, "standard input: %s",
				     strerror(errno));
			return false;
		}
		buf_advance(pem, (size_t)n);
	}
	console_fail(console, CONSOLE_FAILED, "more than %u bytes", PEM_MAX);
	return false;
}

static int install(struct console *console, const char *path, struct slice pem)
{
	struct crypto_certificate facts;
	struct error error;
	struct buf until;

	if (!crypto_certificate_read(pem, &facts))
		return console_fail(console, CONSOLE_FAILED, "there is no certificate in it");
	if (!facts.has_key)
		return console_fail(console, CONSOLE_FAILED,
				    "the key of the first certificate is not in it");
	if (!durable_replace(path, pem, FILE_MODE, &error))
		return console_fail_error(console, CONSOLE_FAILED, &error);
	buf_init(&until, 64);
	human_time(&until, facts.until_s * MS_PER_S);
	if (!console->json)
		printf("It is in %s, and good until %s.\n", path, buf_text(&until));
	buf_done(&until);
	return CONSOLE_OK;
}

int certificate_put_run(struct console *console, int argc, char **argv)
{
	char config_path[CONSOLE_PATH_SIZE];
	struct config config;
	struct error error;
	struct buf pem;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	if (isatty(STDIN_FILENO))
		return console_fail(console, CONSOLE_USAGE, "it comes by standard input");
	if (!config_read(&config, console_config_path(console, config_path), &error))
		return console_fail_error(console, CONSOLE_FAILED, &error);
	buf_init(&pem, PEM_MAX);
	if (!config.www.certificate || config.www.key)
		code = console_fail(console, CONSOLE_FAILED,
				    "%s: section www has to name one file: certificate = "
				    "\"/data/etc/www.pem\", and no key", config_path);
	else
		code = read_input(console, &pem) ? install(console, config.www.certificate,
							   buf_slice(&pem))
						 : CONSOLE_FAILED;
	buf_done(&pem);
	config_free(&config);
	return code;
}
