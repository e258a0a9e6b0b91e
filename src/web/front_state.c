#include "web/front_state.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4200
#define PAGE_MAX (16u << 10)

/* On memory, for those who look now: what a power cut takes is written again at the next start. */
static bool replace(const char *path, struct slice text)
{
	char beside[PATH_SIZE + 8];
	int fd;
	bool is_done;

	snprintf(beside, sizeof(beside), "%s.new", path);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return false;
	/* Whatever the umask: neither the console nor the sender is of our group. */
	is_done = fchmod(fd, 0644) == 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len;
	is_done = close(fd) == 0 && is_done;
	if (is_done && rename(beside, path) == 0)
		return true;
	unlink(beside);
	return false;
}

static void write_file(const char *folder, const char *name, struct slice text)
{
	char path[PATH_SIZE];

	if ((size_t)snprintf(path, sizeof(path), "%s%s", folder, name) >= sizeof(path) ||
	    !replace(path, text))
		log_warn("www", "its state is not told", "file=%s%s errno=%d", folder, name, errno);
}

static json_t *tell_certificate(const struct front_names *names,
				const struct front_certificate *certificate)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < names->count; i++) {
		if (json_array_append_new(list, json_string(names->items[i])) < 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return json_pack("{s:s, s:o, s:s, s:I, s:I, s:b, s:s}", "kind",
			 front_kind_name(certificate->kind), "names", list, "issuer",
			 certificate->facts.issuer, "from_s", (json_int_t)certificate->facts.from_s,
			 "until_s", (json_int_t)certificate->facts.until_s, "is_for_names",
			 certificate->is_for_names, "trouble", certificate->trouble.text);
}

static void write_state(const struct config *config, const struct front_names *names,
			const struct front_state *state)
{
	json_t *root = json_pack("{s:o}", "certificate",
				 tell_certificate(names, &state->certificate));
	char *text;

	if (root && state->has_acme &&
	    json_object_set_new(root, "acme",
				json_pack("{s:I, s:I, s:s}", "failures",
					  (json_int_t)state->acme_failures, "next_ms",
					  (json_int_t)state->acme_next_ms, "trouble",
					  state->acme_trouble)) < 0) {
		json_decref(root);
		root = NULL;
	}
	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	json_decref(root);
	if (text)
		write_file(config->www.run, FRONT_STATE, (struct slice){ text, strlen(text) });
	else
		log_warn("www", "its state is not told", "why=\"no memory\"");
	free(text);
}

static void write_metrics(const struct config *config, const struct front_names *names,
			  const struct front_state *state)
{
	const struct front_certificate *certificate = &state->certificate;
	struct buf page;

	if (!config->metrics_textfiles)
		return;
	buf_init(&page, PAGE_MAX);
	buf_add_format(&page,
		       "# HELP hikyaku_certificate_expires_seconds When the web server's "
		       "certificate ends, since 1970.\n"
		       "# TYPE hikyaku_certificate_expires_seconds gauge\n"
		       "hikyaku_certificate_expires_seconds{host=\"%s\",kind=\"%s\"} %llu\n"
		       "# HELP hikyaku_certificate_trusted Whether somebody vouches for it and it "
		       "is for all names that are served.\n"
		       "# TYPE hikyaku_certificate_trusted gauge\n"
		       "hikyaku_certificate_trusted %d\n"
		       "# HELP hikyaku_certificate_renewal_failures Attempts to get a new one "
		       "that failed since the last one that did not.\n"
		       "# TYPE hikyaku_certificate_renewal_failures gauge\n"
		       "hikyaku_certificate_renewal_failures %llu\n",
		       names->items[0], front_kind_name(certificate->kind),
		       (unsigned long long)certificate->facts.until_s,
		       certificate->is_for_names && !certificate->facts.is_own,
		       (unsigned long long)state->acme_failures);
	if (!page.failed)
		write_file(config->metrics_textfiles, "/www.prom", buf_slice(&page));
	buf_done(&page);
}

void front_state_write(const struct config *config, const struct front_names *names,
		       const struct front_state *state)
{
	write_state(config, names, state);
	write_metrics(config, names, state);
}
