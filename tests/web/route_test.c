#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "web/route.h"

static struct call call;
static char allowed[64];

static enum web_route_result find(const char *method, const char *target)
{
	call = (struct call){ .route = NULL };
	return web_route_find(&call, slice_of(method), slice_of(target), allowed);
}

static void paths_and_methods_lead_to_their_route(void **state)
{
	(void)state;
	assert_int_equal(find("POST", "/api/v1/messages"), ROUTE_FOUND);
	assert_int_equal(call.route->scopes, API_SCOPE_SEND);
	assert_true(call.route->flags & ROUTE_TAKES_JSON);
	assert_int_equal(find("GET", "/api/v1/messages/abc?limit=5&x"), ROUTE_FOUND);
	assert_string_equal(call.argument, "abc");
	assert_true(slice_equal(call.query, SLICE("limit=5&x")));
	assert_int_equal(find("POST", "/api/v1/campaigns/news/start"), ROUTE_FOUND);
	assert_string_equal(call.argument, "news");
	assert_int_equal(call.route->scopes, API_SCOPE_ADMIN);
	assert_int_equal(find("GET", "/api/v1/openapi.json"), ROUTE_FOUND);
	assert_int_equal(call.route->scopes, 0);
}

static void a_part_of_the_path_is_decoded_once(void **state)
{
	(void)state;
	assert_int_equal(find("GET", "/api/v1/suppressions/a%2Fb%40c.example"), ROUTE_FOUND);
	assert_string_equal(call.argument, "a/b@c.example");
	assert_int_equal(find("GET", "/api/v1/suppressions/a%2540b"), ROUTE_FOUND);
	assert_string_equal(call.argument, "a%40b");
	assert_int_equal(find("GET", "/api/v1/suppressions/%E3%81%82"), ROUTE_FOUND);
	assert_string_equal(call.argument, "\xe3\x81\x82");
}

static void two_parts_of_a_path_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(find("GET", "/t/c/AbC-_9/12"), ROUTE_FOUND);
	assert_string_equal(call.argument, "AbC-_9");
	assert_string_equal(call.second, "12");
	assert_true(call.route->flags & ROUTE_PUBLIC);
	assert_int_equal(find("GET", "/t/c/AbC"), ROUTE_UNKNOWN);
	assert_int_equal(find("GET", "/t/c/AbC/1/2"), ROUTE_UNKNOWN);
	assert_int_equal(find("POST", "/t/c/AbC/1"), ROUTE_OTHER_METHOD);
	assert_string_equal(allowed, "GET, HEAD");
}

static void what_is_not_there_is_unknown(void **state)
{
	static const char *const targets[] = {
		"",
		"/",
		"*",
		"/api",
		"/api/v1/messages/",
		"/api/v1/messages/a/b",
		"//api/v1/messages",
		"/api/v1/../v1/messages",
		"/api/v1/message",
		"/API/v1/messages",
		"/api/v1/messages%00",
		"/api/v1/messages/%00",
		"/api/v1/messages/%",
		"/api/v1/messages/%4",
		"/api/v1/messages/%zz",
		"/api/v1/campaigns//start",
		"/api/v1/campaigns/x/stop",
		"?/api/v1/messages",
	};
	char target[700] = "/api/v1/messages/";

	(void)state;
	for (size_t i = 0; i < array_count(targets); i++) {
		assert_int_equal(find("POST", targets[i]), ROUTE_UNKNOWN);
		assert_int_equal(find("GET", targets[i]), ROUTE_UNKNOWN);
	}
	for (size_t i = strlen(target); i + 1 < sizeof(target); i++)
		target[i] = 'a';
	assert_int_equal(find("GET", target), ROUTE_UNKNOWN);
}

static void another_method_is_told_which_there_are(void **state)
{
	(void)state;
	assert_int_equal(find("PUT", "/api/v1/suppressions"), ROUTE_OTHER_METHOD);
	assert_string_equal(allowed, "GET, POST");
	assert_int_equal(find("post", "/api/v1/messages"), ROUTE_OTHER_METHOD);
	assert_string_equal(allowed, "POST");
	assert_int_equal(find("", "/api/v1/suppressions/x"), ROUTE_OTHER_METHOD);
	assert_string_equal(allowed, "GET, DELETE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_and_methods_lead_to_their_route),
		cmocka_unit_test(a_part_of_the_path_is_decoded_once),
		cmocka_unit_test(two_parts_of_a_path_are_told_apart),
		cmocka_unit_test(what_is_not_there_is_unknown),
		cmocka_unit_test(another_method_is_told_which_there_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
