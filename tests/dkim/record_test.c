/* Published key records beside our own: which of them let verifiers take our signatures. */
#include "base/text.h"
#include "dkim/record.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define OURS "v=DKIM1; k=rsa; p=MIIBIjANBg+/=="
#define ED25519 "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

static const char *fault(const char *theirs)
{
	return dkim_fault_text(dkim_record_fault(SLICE(OURS), slice_of(theirs)));
}

static void test_records_by_which_our_signatures_verify(void **state)
{
	static const char *const records[] = {
		OURS,
		"p=MIIBIjANBg+/==", /* all else has a default */
		"k=rsa; p=MIIBIjANBg+/==;",
		" v = DKIM1 ;\tp = MIIB IjAN\tBg+/ == ",
		"v=DKIM1; h=sha1 : sha256; s=email; t=s; n=hello; p=MIIBIjANBg+/==",
		"v=DKIM1; s=*; p=MIIBIjANBg+/==; unknown=x",
	};

	(void)state;
	for (size_t i = 0; i < array_count(records); i++)
		assert_null(fault(records[i]));
	assert_int_equal(dkim_record_fault(SLICE(ED25519), SLICE(ED25519)), DKIM_FAULT_NONE);
}

static void test_records_by_which_they_do_not(void **state)
{
	static const char *const rows[][2] = {
		{ "", "the record has no key (p=)" },
		{ "v=DKIM1; k=rsa", "the record has no key (p=)" },
		{ "v=DKIM1; p", "the record has no key (p=)" },
		{ "v=DKIM1; p=", "the key is revoked (p= is empty)" },
		{ "v=DKIM1; p=MIIBIjANBg+/=", "another key is published" },
		{ "v=DKIM1; p=MIIBIjANBg+/===", "another key is published" },
		{ "v=DKIM1; p=miibijanbg+/==", "another key is published" },
		{ "v=DKIM1; P=MIIBIjANBg+/==", "the record has no key (p=)" },
		{ "v=DKIM2; p=MIIBIjANBg+/==", "not a record of a key: it does not begin with v=DKIM1" },
		{ "p=MIIBIjANBg+/==; v=DKIM1", "not a record of a key: it does not begin with v=DKIM1" },
		{ "k=ed25519; p=MIIBIjANBg+/==", "the key is published for another algorithm (k=)" },
		{ "h=sha1; p=MIIBIjANBg+/==", "the record does not allow sha256 (h=)" },
		{ "h=; p=MIIBIjANBg+/==", "the record does not allow sha256 (h=)" },
		{ "s=tlsrpt; p=MIIBIjANBg+/==", "the record does not allow mail (s=)" },
		{ "p=AAAA; p=MIIBIjANBg+/==", "a tag is there twice: the record does not count" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		const char *told = fault(rows[i][0]);

		assert_non_null(told);
		assert_string_equal(told, rows[i][1]);
	}
	assert_int_equal(
		dkim_record_fault(SLICE(ED25519), SLICE("v=DKIM1; p=11qYAYKxCrfVS/7TyWQHOg7hcv"
							"PapiMlrwIaaPcHURo=")),
		DKIM_FAULT_ALGORITHM);
}

static void test_a_domain_may_only_be_trying(void **state)
{
	(void)state;
	assert_true(dkim_record_is_on_trial(SLICE("t=y; p=A")));
	assert_true(dkim_record_is_on_trial(SLICE("v=DKIM1; t = s : y ; p=A")));
	assert_false(dkim_record_is_on_trial(SLICE("t=s; p=A")));
	assert_false(dkim_record_is_on_trial(SLICE("p=A")));
	assert_false(dkim_record_is_on_trial(SLICE("n=t=y; p=A")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_by_which_our_signatures_verify),
		cmocka_unit_test(test_records_by_which_they_do_not),
		cmocka_unit_test(test_a_domain_may_only_be_trying),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
