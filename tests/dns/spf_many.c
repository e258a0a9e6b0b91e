/*
 * Evaluates the cases of a file (spf_cases.txt says how it is written) and writes a line for each:
 * its number from 1 on, the result, the explanation and, in brackets, why.
 *
 *   spf_many FILE
 */
#include "spf_cases.h"

static struct spf_cases cases;

int main(int argc, char **argv)
{
	struct spf spf;

	if (argc != 2) {
		fprintf(stderr, "usage: spf_many FILE\n");
		return 2;
	}
	spf_cases_open(&cases, argv[1]);
	for (unsigned number = 1; spf_cases_next(&cases); number++) {
		enum spf_result result = spf_cases_evaluate(&cases, &spf);

		printf("%u|%s|%s|%s\n", number, spf_result_name(result), spf.explanation, spf.why);
	}
	return 0;
}
