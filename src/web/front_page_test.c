#include "web/front.h"

#include "base/types.h"

#include <curl/curl.h>
#include <stdio.h>

#define PAGE "https://127.0.0.1/"
#define PATIENCE_S 20L

static size_t count_bytes(char *bytes, size_t size, size_t count, void *context)
{
	size_t *sum = context;

	(void)bytes;
	*sum += size * count;
	return size * count;
}

static CURLcode ask(CURL *curl, char *trouble, size_t *body)
{
	CURLcode code = curl_easy_setopt(curl, CURLOPT_URL, PAGE);

	if (code != CURLE_OK)
		return code;
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, trouble);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, count_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, PATIENCE_S);
	/* On loopback nobody stands between; the certificate is for a name, and may be our own. */
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	return curl_easy_perform(curl);
}

int front_page_test_main(int argc, char **argv)
{
	char trouble[CURL_ERROR_SIZE] = "";
	size_t body = 0;
	CURLcode code = CURLE_OUT_OF_MEMORY;
	CURL *curl;

	(void)argv;
	if (argc != 1) {
		fputs("usage: hikyaku page-test\n", stderr);
		return 2;
	}
	curl = curl_easy_init();
	if (curl)
		code = ask(curl, trouble, &body);
	curl_easy_cleanup(curl);
	if (code != CURLE_OK || body == 0) {
		printf("%s: %s\n", PAGE,
		       code == CURLE_OK ? "an empty page"
					: (trouble[0] ? trouble : curl_easy_strerror(code)));
		return 1;
	}
	printf("%s: %zu bytes\n", PAGE, body);
	return 0;
}
