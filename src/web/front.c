#include "web/front.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/durable.h"
#include "base/log.h"
#include "base/role.h"
#include "base/text.h"
#include "web/acme_run.h"
#include "web/front_config.h"
#include "web/front_server.h"
#include "web/front_state.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS 1000
#define TEXT_MAX (256u << 10) /* bytes of lighttpd's configuration */
#define PATH_SIZE 4200
#define OUR_PAGES "/usr/share/www"
#define STOP_PATIENCE_MS 3000	 /* of init's five seconds */
#define CHANGE_PATIENCE_MS 2000	 /* other sockets cannot wait for long answers of before */
#define LOG_LOOK_EVERY 2	 /* looks about */
#define STATE_EVERY 30
#define CERTIFICATE_EVERY 3600

/* What counts as long as there is no configuration of the sender's: the defaults of `www`. */
static const char bare_config[] =
	"customer \"unconfigured.invalid\" {\n\tsign = false\n"
	"\taddress \"any\" { ehlo = \"unconfigured.invalid\" }\n}\n";

/* By these it is seen that a file is another one. */
struct stamp {
	u64 inode;
	u64 size;
	u64 changed_ns;
	bool is_there;
};

enum watched { WATCH_CONFIG, WATCH_CERTIFICATE, WATCH_KEY, WATCH_SITE, WATCHED };

struct front {
	const char *host;
	const char *config_path;
	struct config config;
	struct front_names names;
	struct stamp stamps[WATCHED];
	struct front_server server;
	struct front_state state;
	struct acme_run acme;
	char server_config[PATH_SIZE]; /* path */
	struct buf text;	       /* what stands in it */
	u8 sockets[SHA256_SIZE];       /* of the addresses and the program that runs */
	int signal_fd;
	u64 looks;
};

/* ---- files that may change ---- */

static struct stamp stamp_of(const char *path)
{
	struct stat st;

	if (!path || stat(path, &st) < 0)
		return (struct stamp){ .is_there = false };
	return (struct stamp){ .inode = st.st_ino,
			       .size = (u64)st.st_size,
			       .changed_ns = (u64)st.st_mtim.tv_sec * NS_PER_S +
					     (u64)st.st_mtim.tv_nsec,
			       .is_there = true };
}

/* Whether it is another one than at the last look. */
static bool has_changed(struct front *front, enum watched which, const char *path)
{
	struct stamp now = stamp_of(path);
	struct stamp *before = &front->stamps[which];
	bool is_other = now.inode != before->inode || now.size != before->size ||
			now.changed_ns != before->changed_ns || now.is_there != before->is_there;

	*before = now;
	return is_other;
}

/* ---- configuration ---- */

static void take_config(struct front *front, const struct config *config)
{
	config_free(&front->config);
	front->config = *config;
	front->names = front->config.www.names.count > 0
			       ? (struct front_names){ front->config.www.names.items,
						       front->config.www.names.count }
			       : (struct front_names){ &front->host, 1 };
	front->server.program = front->config.www.server;
	front->state.has_acme = front->config.www.acme;
	log_set_level((enum log_level)front->config.log);
}

/* A configuration that is wrong changes nothing, and is told. False: there is no memory. */
static bool read_config(struct front *front, struct error *error)
{
	struct config config;
	struct error why;

	if (config_read(&config, front->config_path, &why)) {
		take_config(front, &config);
		return true;
	}
	if (front->stamps[WATCH_CONFIG].is_there)
		log_error("www", "the configuration cannot be used", "why=\"%s\"", why.text);
	if (front->names.count > 0)
		return true;
	if (!config_parse(&config, slice_of(bare_config), "built in", error))
		return false;
	take_config(front, &config);
	return true;
}

/* Where the customer's first page would be: with it, the folder counts. */
static const char *first_page(const struct config_www *www, char path[PATH_SIZE])
{
	snprintf(path, PATH_SIZE, "%s/index.html", www->site);
	return path;
}

/* Of the files that the configuration names. */
static void note_files(struct front *front)
{
	const struct config_www *www = &front->config.www;
	char page[PATH_SIZE];

	front->stamps[WATCH_CERTIFICATE] = stamp_of(www->certificate);
	front->stamps[WATCH_KEY] = stamp_of(www->key);
	front->stamps[WATCH_SITE] = stamp_of(first_page(www, page));
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Of a host that has no image's pages. */
static const char bare_page[] = "<!DOCTYPE html>\n"
				"<html lang=\"en\">\n"
				"<meta charset=\"utf-8\">\n"
				"<title>hikyaku</title>\n"
				"<p>This server sends mail. It is up.\n"
				"</html>\n";

/* The customer's pages, else ours. */
static bool find_pages(const struct front *front, char path[PATH_SIZE], struct error *error)
{
	const struct config_www *www = &front->config.www;
	char page[PATH_SIZE + 16];

	if (front->stamps[WATCH_SITE].is_there)
		return slice_copy(path, PATH_SIZE, slice_of(www->site));
	if (is_folder(OUR_PAGES))
		return slice_copy(path, PATH_SIZE, slice_of(OUR_PAGES));
	if ((size_t)snprintf(path, PATH_SIZE, "%s/pages", www->run) >= PATH_SIZE)
		return error_set(error, "%s: too long", www->run);
	snprintf(page, sizeof(page), "%s/index.html", path);
	return durable_folder(path, error) &&
	       durable_replace(page, slice_of(bare_page), 0644, error);
}

static bool has_tls(const struct config_www *www)
{
	for (size_t i = 0; i < www->listen_tls.count; i++) {
		if (strcmp(www->listen_tls.items[i], CONFIG_NOWHERE) != 0)
			return true;
	}
	return false;
}

/* *is_other: lighttpd has to be told. */
static bool write_server_config(struct front *front, bool *is_other, struct error *error)
{
	char pages[PATH_SIZE];
	struct front_setting setting = { .config = &front->config,
					 .host = front->names.items[0],
					 .pages = pages,
					 .has_tls = has_tls(&front->config.www),
					 .has_limits = front->server.has_limits,
					 .has_h2_module = front->server.has_h2_module };
	struct buf text;
	bool is_done;

	if (!find_pages(front, pages, error))
		return false;
	buf_init(&text, TEXT_MAX);
	if (!front_config_make(&setting, &text)) {
		buf_done(&text);
		return error_set(error, "lighttpd's configuration has no room");
	}
	*is_other = !slice_equal(buf_slice(&text), buf_slice(&front->text));
	if (!*is_other) {
		buf_done(&text);
		return true;
	}
	snprintf(front->server_config, sizeof(front->server_config), "%s/lighttpd.conf",
		 front->config.www.run);
	front->server.config = front->server_config;
	is_done = durable_replace(front->server_config, buf_slice(&text), 0600, error);
	buf_done(&front->text);
	front->text = text;
	return is_done;
}

static bool make_folders(const struct front *front, struct error *error)
{
	const struct config_www *www = &front->config.www;
	char path[PATH_SIZE];

	if (!durable_folder(www->folder, error) || !durable_folder(www->run, error))
		return false;
	if ((size_t)snprintf(path, sizeof(path), "%s" FRONT_CHALLENGES, www->run) >= sizeof(path))
		return error_set(error, "%s: too long", www->run);
	return durable_folder(path, error);
}

/* ---- certificate ---- */

static bool choose_certificate(struct front *front, bool *changed, struct error *error)
{
	struct front_certificate *now = &front->state.certificate;
	struct front_certificate before = *now;

	*changed = false;
	if (!has_tls(&front->config.www))
		return true;
	if (!front_certificate_choose(&front->config.www, &front->names, clock_wall_ms(), now,
				      changed, error)) {
		*now = before;
		return false;
	}
	if (*changed || before.kind != now->kind)
		log_info("www", "certificate", "kind=%s issuer=\"%s\" for_all_names=%d",
			 front_kind_name(now->kind), now->facts.issuer, now->is_for_names);
	if (now->trouble.text[0] && strcmp(now->trouble.text, before.trouble.text) != 0)
		log_warn("www", "not the certificate that is wanted", "why=\"%s\"",
			 now->trouble.text);
	return true;
}

static void tell_state(struct front *front)
{
	front->state.acme_failures = front->acme.failures;
	front->state.acme_next_ms = front->acme.next_ms;
	front->state.acme_trouble = front->acme.trouble.text;
	front_state_write(&front->config, &front->names, &front->state);
}

/* ---- what is done once a second ---- */

static bool start_server(struct front *front, struct error *error)
{
	return front_server_check(&front->server, error) &&
	       front_server_start(&front->server, error);
}

static void add_list(struct sha256 *hash, const struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		sha256_add(hash, list->items[i], strlen(list->items[i]) + 1);
	sha256_add(hash, "", 1);
}

/* Whether it listens elsewhere than before, or is another program. */
static bool has_other_sockets(struct front *front)
{
	const struct config_www *www = &front->config.www;
	u8 before[SHA256_SIZE];
	struct sha256 hash;

	memcpy(before, front->sockets, sizeof(before));
	sha256_init(&hash);
	add_list(&hash, &www->listen);
	add_list(&hash, &www->listen_tls);
	sha256_add(&hash, www->server, strlen(www->server) + 1);
	sha256_add(&hash, www->run, strlen(www->run) + 1);
	sha256_finish(&hash, front->sockets);
	return memcmp(before, front->sockets, sizeof(before)) != 0;
}

/*
 * lighttpd begins anew if it can read what it is told now. On other sockets it has to be started
 * again: only so it may bind, and there are some moments without it.
 */
static void apply_config(struct front *front)
{
	struct error error;
	bool certificate_changed;
	bool config_changed = false;

	if (!make_folders(front, &error) || !front_server_probe(&front->server, &error) ||
	    !choose_certificate(front, &certificate_changed, &error) ||
	    !write_server_config(front, &config_changed, &error) ||
	    (config_changed && !front_server_check(&front->server, &error))) {
		log_error("www", "the configuration cannot be used", "why=\"%s\"", error.text);
		return;
	}
	if (has_other_sockets(front)) {
		log_info("www", "lighttpd is started again", "");
		front_server_stop(&front->server, CHANGE_PATIENCE_MS);
		if (!front_server_start(&front->server, &error))
			log_error("www", "lighttpd does not start", "why=\"%s\"", error.text);
	} else if (config_changed || certificate_changed) {
		front_server_renew(&front->server);
	}
	tell_state(front);
}

static void look_at_certificate(struct front *front)
{
	struct error error;
	bool is_other;

	if (!choose_certificate(front, &is_other, &error))
		log_error("www", "no certificate", "why=\"%s\"", error.text);
	else if (is_other)
		front_server_renew(&front->server);
	tell_state(front);
}

static void look_at_files(struct front *front)
{
	const struct config_www *www = &front->config.www;
	bool is_other = has_changed(front, WATCH_CERTIFICATE, www->certificate);
	bool had_site = front->stamps[WATCH_SITE].is_there;
	char page[PATH_SIZE];
	struct error error;

	is_other |= has_changed(front, WATCH_KEY, www->key);
	if (has_changed(front, WATCH_CONFIG, front->config_path)) {
		if (read_config(front, &error)) {
			note_files(front);
			apply_config(front);
		}
	} else if (has_changed(front, WATCH_SITE, first_page(www, page)) &&
		   front->stamps[WATCH_SITE].is_there != had_site) {
		apply_config(front);
	} else if (is_other || front->looks % CERTIFICATE_EVERY == 0) {
		look_at_certificate(front);
	}
}

/* Two files at most: what was written before the last turn goes. */
static void look_at_log(struct front *front)
{
	const struct config_www *www = &front->config.www;
	char path[PATH_SIZE];
	char old[PATH_SIZE + 4];
	struct stat st;

	if (!www->access_log)
		return;
	snprintf(path, sizeof(path), "%s" FRONT_ACCESS_LOG, www->folder);
	snprintf(old, sizeof(old), "%s.1", path);
	if (stat(path, &st) < 0 || (u64)st.st_size < www->access_log_max)
		return;
	if (rename(path, old) < 0)
		log_warn("www", "the log grows", "file=%s errno=%d", path, errno);
	else
		front_server_reopen(&front->server);
}

static void look_at_authority(struct front *front)
{
	const struct config_www *www = &front->config.www;

	if (acme_run_is_over(&front->acme, clock_mono_ns(), clock_wall_ms()))
		look_at_certificate(front);
	if (!has_tls(www) || front->acme.pid > 0)
		return;
	if (!front_certificate_is_due(www, &front->names, clock_wall_ms(), front->acme.delay_ms))
		return;
	acme_run_begin(&front->acme, www, &front->names, clock_mono_ns());
}

static void run(struct front *front)
{
	struct pollfd wait = { .fd = front->signal_fd, .events = POLLIN };

	while (role_take_signals(front->signal_fd) == 0 && front_server_runs(&front->server)) {
		front->looks++;
		look_at_files(front);
		look_at_authority(front);
		if (front->looks % LOG_LOOK_EVERY == 0)
			look_at_log(front);
		if (front->looks % STATE_EVERY == 0)
			tell_state(front);
		if (poll(&wait, 1, LOOK_MS) < 0 && errno != EINTR)
			log_warn("www", "poll", "errno=%d", errno);
	}
}

static bool start(struct front *front, struct error *error)
{
	bool ignored;

	front->stamps[WATCH_CONFIG] = stamp_of(front->config_path);
	if (!read_config(front, error))
		return false;
	note_files(front);
	(void)has_other_sockets(front); /* they are these now */
	return make_folders(front, error) && front_server_probe(&front->server, error) &&
	       choose_certificate(front, &ignored, error) &&
	       write_server_config(front, &ignored, error) && start_server(front, error);
}

static const char usage[] =
	"usage: hikyaku www [--host NAME] [--config FILE]\n\n"
	"The web server for people and programs: keeps lighttpd, its configuration and its\n"
	"certificate; in the foreground until SIGTERM. See hikyaku.conf(5), section www.\n";

/* -1: go on. */
static int read_words(struct front *front, int argc, char **argv)
{
	front->host = "localhost";
	front->config_path = ROLE_CONFIG;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--host") == 0 && i + 1 < argc) {
			front->host = argv[++i];
		} else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
			front->config_path = argv[++i];
		} else {
			bool is_asked = strcmp(argv[i], "--help") == 0;

			fputs(usage, is_asked ? stdout : stderr);
			return is_asked ? 0 : 2;
		}
	}
	return -1;
}

int front_main(int argc, char **argv)
{
	static struct front front;
	struct error error = { "" };
	bool is_asked_to_end;
	int code = read_words(&front, argc, argv);

	if (code >= 0)
		return code;
	umask(027);
	buf_init(&front.text, TEXT_MAX);
	acme_run_init(&front.acme);
	front.signal_fd = role_watch_signals(&error);
	if (front.signal_fd < 0 || !start(&front, &error)) {
		fprintf(stderr, "hikyaku: www: %s\n", error.text);
		return 1;
	}
	log_info("www", "ready", "host=%s listen=%s tls=%d", front.names.items[0],
		 front.config.www.listen.items[0], has_tls(&front.config.www));
	tell_state(&front);
	run(&front);
	is_asked_to_end = front.server.pid > 0;
	acme_run_end(&front.acme);
	front_server_stop(&front.server, STOP_PATIENCE_MS);
	close(front.signal_fd);
	buf_done(&front.text);
	config_free(&front.config);
	log_info("www", "stopped", "");
	return is_asked_to_end ? 0 : 1;
}
