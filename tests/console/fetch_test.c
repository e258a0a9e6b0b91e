/*
 * Fetching: a real HTTP server (Python's) with whole, cut, redirected and missing files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "console/fetch.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char server[] =
	"import http.server, sys\n"
	"class H(http.server.BaseHTTPRequestHandler):\n"
	"    def log_message(self, *a): pass\n"
	"    def do_GET(self):\n"
	"        if self.path == '/whole':\n"
	"            self.send_response(200); self.send_header('Content-Length', '3000000')\n"
	"            self.end_headers(); self.wfile.write(b'x' * 3000000)\n"
	"        elif self.path == '/cut':\n"
	"            self.send_response(200); self.send_header('Content-Length', '1000')\n"
	"            self.end_headers(); self.wfile.write(b'x' * 10)\n"
	"        elif self.path == '/elsewhere':\n"
	"            self.send_response(302); self.send_header('Location', '/whole'); self.end_headers()\n"
	"        elif self.path == '/file':\n"
	"            self.send_response(302); self.send_header('Location', 'file:///etc/passwd')\n"
	"            self.end_headers()\n"
	"        elif self.path == '/round':\n"
	"            self.send_response(302); self.send_header('Location', '/round'); self.end_headers()\n"
	"        else:\n"
	"            self.send_error(404)\n"
	"s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), H)\n"
	"print(s.server_port, flush=True)\n"
	"s.serve_forever()\n";

static pid_t server_pid;
static int port;

static int start_server(void **state)
{
	int out[2];
	char text[16] = "";

	(void)state;
	assert_int_equal(pipe(out), 0);
	server_pid = fork();
	if (server_pid == 0) {
		dup2(out[1], 1);
		execl("/usr/bin/python3", "python3", "-c", server, NULL);
		_exit(127);
	}
	assert_true(read(out[0], text, sizeof(text) - 1) > 0);
	port = (int)strtol(text, NULL, 10);
	close(out[0]);
	close(out[1]);
	return port > 0 ? 0 : -1;
}

static int stop_server(void **state)
{
	(void)state;
	kill(server_pid, SIGKILL);
	waitpid(server_pid, NULL, 0);
	return 0;
}

/* Bytes that came; *error has the sentence, or "". */
static size_t fetched(const char *path, struct error *error)
{
	char url[128];
	char bytes[65536];
	struct fetch fetch;
	size_t total = 0;

	memset(error, 0, sizeof(*error));
	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", port, path);
	assert_true(fetch_is_url(url));
	assert_true(fetch_begin(&fetch, url, error));
	for (ssize_t n; (n = read(fetch.fd, bytes, sizeof(bytes))) > 0;)
		total += (size_t)n;
	if (fetch_end(&fetch, error))
		assert_string_equal(error->text, "");
	else
		assert_string_not_equal(error->text, "");
	return total;
}

static void a_file_comes_whole_also_from_elsewhere(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(fetched("/whole", &error), 3000000);
	assert_string_equal(error.text, "");
	assert_int_equal(fetched("/elsewhere", &error), 3000000);
	assert_string_equal(error.text, "");
}

static void what_is_not_there_or_cut_off_is_told(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(fetched("/missing", &error), 0);
	assert_non_null(strstr(error.text, "404"));
	assert_int_equal(fetched("/cut", &error), 10);
	assert_non_null(strstr(error.text, "990 bytes remaining"));
}

static void nobody_leads_to_files_or_around_for_ever(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(fetched("/file", &error), 0);
	assert_non_null(strstr(error.text, "file"));
	assert_int_equal(fetched("/round", &error), 0);
	assert_non_null(strstr(error.text, "redirect"));
}

static void a_server_that_is_not_there_is_told(void **state)
{
	struct error error = { "" };
	struct fetch fetch;
	char byte;

	(void)state;
	assert_true(fetch_begin(&fetch, "http://127.0.0.1:9/x", &error));
	assert_int_equal(read(fetch.fd, &byte, 1), 0);
	assert_false(fetch_end(&fetch, &error));
	assert_non_null(strstr(error.text, "127.0.0.1"));
}

static void who_stops_reading_ends_it(void **state)
{
	struct error error = { "" };
	struct fetch fetch;
	char url[64];
	char byte;

	(void)state;
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/whole", port);
	assert_true(fetch_begin(&fetch, url, &error));
	assert_int_equal(read(fetch.fd, &byte, 1), 1);
	assert_false(fetch_end(&fetch, &error));
}

static void only_two_kinds_of_urls_are_taken(void **state)
{
	(void)state;
	assert_true(fetch_is_url("HTTPS://host/x"));
	assert_false(fetch_is_url("ftp://host/x"));
	assert_false(fetch_is_url("file:///x"));
	assert_false(fetch_is_url("/data/x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_comes_whole_also_from_elsewhere),
		cmocka_unit_test(what_is_not_there_or_cut_off_is_told),
		cmocka_unit_test(nobody_leads_to_files_or_around_for_ever),
		cmocka_unit_test(a_server_that_is_not_there_is_told),
		cmocka_unit_test(who_stops_reading_ends_it),
		cmocka_unit_test(only_two_kinds_of_urls_are_taken),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
