#include "console/fetch.h"

#include "base/stream.h"
#include "base/text.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECT_S 30L
/* Slower than this for so long is not going to end. */
#define LEAST_BYTES_A_SECOND 1000L
#define LEAST_FOR_S 60L
#define REDIRECTS_MAX 5L
#define CERTIFICATES "/etc/ssl/cert.pem" /* of the appliance; elsewhere curl knows its own */

bool fetch_is_url(const char *text)
{
	return slice_has_prefix_nocase(slice_of(text), SLICE("https://")) ||
	       slice_has_prefix_nocase(slice_of(text), SLICE("http://"));
}

/* ---- in the child ---- */

static size_t hand_on(char *bytes, size_t size, size_t count, void *context)
{
	const int fd = *(const int *)context;
	size_t len = size * count;

	/* Nobody reads on: curl ends with an error. */
	return stream_write(fd, (struct slice){ bytes, len }) ? len : 0;
}

static CURLcode set_up(CURL *curl, const char *url, const int *fd, char *trouble)
{
	CURLcode code = curl_easy_setopt(curl, CURLOPT_URL, url);

	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, trouble);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, hand_on);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, fd);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(curl, CURLOPT_MAXREDIRS, REDIRECTS_MAX);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, LEAST_BYTES_A_SECOND);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, LEAST_FOR_S);
	if (code == CURLE_OK && access(CERTIFICATES, R_OK) == 0)
		code = curl_easy_setopt(curl, CURLOPT_CAINFO, CERTIFICATES);
	/* Whoever asked for TLS is not led away from it. */
	if (code == CURLE_OK && slice_has_prefix_nocase(slice_of(url), SLICE("https://")))
		code = curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
	if (code == CURLE_OK)
		code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	return code;
}

NORETURN static void run(const char *url, int to, int trouble_fd)
{
	char trouble[CURL_ERROR_SIZE] = "";
	CURL *curl = curl_easy_init();
	CURLcode code = CURLE_OUT_OF_MEMORY;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_DFL);
	if (curl)
		code = set_up(curl, url, &to, trouble);
	if (code == CURLE_OK)
		code = curl_easy_perform(curl);
	if (code != CURLE_OK)
		dprintf(trouble_fd, "%s", trouble[0] ? trouble : curl_easy_strerror(code));
	_exit(code == CURLE_OK ? 0 : 1);
}

/* ---- in the console ---- */

bool fetch_begin(struct fetch *fetch, const char *url, struct error *error)
{
	int file[2];
	int trouble[2];

	if (pipe2(file, O_CLOEXEC) < 0)
		return error_set_errno(error, errno, "pipe");
	if (pipe2(trouble, O_CLOEXEC) < 0) {
		error_set_errno(error, errno, "pipe");
		close(file[0]);
		close(file[1]);
		return false;
	}
	fflush(NULL);
	fetch->pid = fork();
	if (fetch->pid == 0) {
		close(file[0]);
		close(trouble[0]);
		run(url, file[1], trouble[1]);
	}
	close(file[1]);
	close(trouble[1]);
	fetch->fd = file[0];
	fetch->trouble = trouble[0];
	if (fetch->pid > 0)
		return true;
	error_set_errno(error, errno, "fork");
	close(file[0]);
	close(trouble[0]);
	return false;
}

bool fetch_end(struct fetch *fetch, struct error *error)
{
	char text[CURL_ERROR_SIZE + 1];
	ssize_t len;
	int status;

	close(fetch->fd);
	len = read(fetch->trouble, text, sizeof(text) - 1);
	close(fetch->trouble);
	while (waitpid(fetch->pid, &status, 0) < 0) {
		if (errno != EINTR)
			return error_set_errno(error, errno, "the fetching process");
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	text[len > 0 ? len : 0] = '\0';
	return error_set(error, "%s", len > 0 ? text : "it was broken off");
}
