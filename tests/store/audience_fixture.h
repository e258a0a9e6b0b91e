/* An audience in a folder of its own that goes away with the test, and a transaction of it. */
#ifndef TESTS_STORE_AUDIENCE_FIXTURE_H
#define TESTS_STORE_AUDIENCE_FIXTURE_H

#include "store/fixture.h"

#include "store/audience.h"

static struct audience *audience;
static struct audience_txn *txn;
static char folder[256];

static inline void audience_fixture_open(void)
{
	struct store_params params = { .path = folder, .map_size_max = 256 * MIB };
	struct error error = { "" };

	audience = audience_open(&params, &error);
	if (!audience)
		fail_msg("%s", error.text);
	txn = audience_txn_open(audience);
	assert_non_null(txn);
}

static inline void audience_fixture_close(void)
{
	audience_txn_close(txn);
	audience_close(audience);
}

static inline int audience_fixture_setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/hikyaku-audience-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	audience_fixture_open();
	return 0;
}

/* The transaction writes already. */
static inline int audience_fixture_setup_writing(void **state)
{
	if (audience_fixture_setup(state) != 0)
		return -1;
	must(audience_begin(txn));
	return 0;
}

static inline int audience_fixture_teardown(void **state)
{
	(void)state;
	audience_fixture_close();
	remove_tree(folder);
	return 0;
}

#define audience_writing_test(name)                                                                \
	cmocka_unit_test_setup_teardown(name, audience_fixture_setup_writing,                      \
					audience_fixture_teardown)

#endif
