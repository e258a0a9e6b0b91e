/*
 * What every test of the store needs: a folder of its own that goes away with the test, a queue in
 * it, and short ways to make rows.
 */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/remove_tree.h"
#include "base/text.h"
#include "store/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1ull << 20)

struct fixture {
	char dir[256];
	char path[300]; /* of the queue, below dir */
	struct store_params params;
	struct queue *queue;
};

#define must_be(result, call) assert_int_equal((call), (result))
#define must(call) must_be(STORE_OK, call)
#define must_slice(actual, text)                                                                   \
	do {                                                                                       \
		struct slice must_s = (actual);                                                    \
		assert_int_equal(must_s.len, strlen(text));                                        \
		assert_memory_equal(must_s.ptr, text, must_s.len);                                 \
	} while (0)

static inline void fixture_open(struct fixture *f)
{
	struct error error = { "" };

	f->queue = queue_open(&f->params, &error);
	if (!f->queue)
		fail_msg("%s", error.text);
}

static inline void fixture_reopen(struct fixture *f)
{
	queue_close(f->queue);
	fixture_open(f);
}

static inline int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	snprintf(f->dir, sizeof(f->dir), "%s/hikyaku-store-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/queue", f->dir);
	f->params = (struct store_params){
		.path = f->path, .map_size = 4 * MIB, .map_size_max = 256 * MIB
	};
	fixture_open(f);
	*state = f;
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	queue_close(f->queue);
	remove_tree(f->dir);
	free(f);
	return 0;
}

static inline struct row_ref lane_ref(u32 campaign, u32 domain, u32 seq)
{
	return (struct row_ref){ { campaign, domain, seq }, ROW_LANE, 0 };
}

static inline struct row_ref deferred_ref(u64 due_ms, u32 campaign, u32 domain, u32 seq)
{
	return (struct row_ref){ { campaign, domain, seq }, ROW_DEFERRED, due_ms };
}

static inline struct row_ref doubt_ref(u32 campaign, u32 domain, u32 seq)
{
	return (struct row_ref){ { campaign, domain, seq }, ROW_DOUBT, 0 };
}

static inline struct queue_row row_at(struct row_ref ref)
{
	return (struct queue_row){ .ref = ref, .address = SLICE("ann@example.test") };
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
