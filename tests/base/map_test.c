#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/map.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 5000

struct thing {
	char name[16];
	bool inside;
};

static struct thing things[MANY];

static struct slice key_of(u32 i)
{
	return slice_of(things[i].name);
}

static void name_things(void)
{
	for (u32 i = 0; i < MANY; i++) {
		snprintf(things[i].name, sizeof(things[i].name), "thing%u", i);
		things[i].inside = false;
	}
}

static void an_empty_map_finds_nothing(void **state)
{
	struct map map;
	u32 at = 0;

	(void)state;
	map_init(&map);
	assert_null(map_find(&map, SLICE("a")));
	assert_null(map_remove(&map, SLICE("a")));
	assert_null(map_next(&map, &at));
	map_done(&map);
}

static void keys_are_bytes_of_any_kind(void **state)
{
	struct map map;
	int a;
	int b;
	int c;

	(void)state;
	map_init(&map);
	assert_true(map_add(&map, SLICE("x\0y"), &a));
	assert_true(map_add(&map, SLICE("x"), &b));
	assert_true(map_add(&map, SLICE_NONE, &c));
	assert_ptr_equal(map_find(&map, SLICE("x\0y")), &a);
	assert_ptr_equal(map_find(&map, SLICE("x")), &b);
	assert_ptr_equal(map_find(&map, SLICE("")), &c);
	assert_null(map_find(&map, SLICE("x\0z")));
	assert_null(map_find(&map, SLICE("X")));
	map_done(&map);
}

static void check_all(const struct map *map)
{
	u32 inside = 0;
	u32 seen = 0;
	u32 at = 0;

	for (u32 i = 0; i < MANY; i++) {
		assert_ptr_equal(map_find(map, key_of(i)), things[i].inside ? &things[i] : NULL);
		inside += things[i].inside;
	}
	assert_int_equal(map->count, inside);
	for (struct thing *t; (t = map_next(map, &at)); seen++)
		assert_true(t->inside);
	assert_int_equal(seen, inside);
}

/* Removal moves entries up; this is where a map of this kind goes wrong. */
static void random_changes_keep_every_entry_findable(void **state)
{
	struct map map;

	(void)state;
	name_things();
	srand(11);
	map_init(&map);
	for (u32 round = 0; round < 60; round++) {
		/* Phases of growth and of decline. */
		u32 odds = round / 10 % 2 ? 30 : 70;

		for (u32 step = 0; step < 1000; step++) {
			u32 i = (u32)rand() % MANY;
			bool add = (u32)rand() % 100 < odds;

			if (add && !things[i].inside)
				assert_true(map_add(&map, key_of(i), &things[i]));
			else if (!add)
				assert_ptr_equal(map_remove(&map, key_of(i)),
						 things[i].inside ? &things[i] : NULL);
			things[i].inside = add;
		}
		check_all(&map);
	}
	map_done(&map);
}

static void a_small_map_survives_every_order_of_removal(void **state)
{
	struct map map;

	(void)state;
	name_things();
	for (u32 round = 0; round < 2000; round++) {
		/* Each map has its own secret, so that the places differ every time. */
		map_init(&map);
		for (u32 i = 0; i < 12; i++)
			assert_true(map_add(&map, key_of(i), &things[i]));
		for (u32 i = 0; i < 12; i++) {
			u32 removed = (i * 5 + round) % 12;

			assert_ptr_equal(map_remove(&map, key_of(removed)), &things[removed]);
			for (u32 j = i + 1; j < 12; j++) {
				u32 left = (j * 5 + round) % 12;

				assert_ptr_equal(map_find(&map, key_of(left)), &things[left]);
			}
		}
		assert_int_equal(map.count, 0);
		map_done(&map);
	}
}

static void two_maps_place_the_same_keys_differently(void **state)
{
	struct map a;
	struct map b;
	u32 at_a = 0;
	u32 at_b = 0;
	u32 differ = 0;

	(void)state;
	name_things();
	map_init(&a);
	map_init(&b);
	for (u32 i = 0; i < 200; i++)
		assert_true(map_add(&a, key_of(i), &things[i]) &&
			    map_add(&b, key_of(i), &things[i]));
	for (u32 i = 0; i < 200; i++)
		differ += map_next(&a, &at_a) != map_next(&b, &at_b);
	assert_true(differ > 100);
	map_done(&a);
	map_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_map_finds_nothing),
		cmocka_unit_test(keys_are_bytes_of_any_kind),
		cmocka_unit_test(random_changes_keep_every_entry_findable),
		cmocka_unit_test(a_small_map_survives_every_order_of_removal),
		cmocka_unit_test(two_maps_place_the_same_keys_differently),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
