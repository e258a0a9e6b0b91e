/*
 * repeat: runs a command at even intervals, one after the other, and writes down when each was started.
 *
 *   repeat COUNT INTERVAL_MS TIMES COMMAND...     {} in an argument is the number, from 0
 *
 * A line of TIMES is "number epoch_seconds". That the starting of programs costs little here is the point:
 * it is measured as a part of what they do. A command that fails ends it with status 1.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double seconds_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void wait_until(double when)
{
	struct timespec t = { .tv_sec = (time_t)when };

	t.tv_nsec = (long)((when - (double)t.tv_sec) * 1e9);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0) {
	}
}

static char *with_number(const char *word, unsigned number)
{
	const char *hole = strstr(word, "{}");
	char *text;

	if (!hole)
		return strdup(word);
	return asprintf(&text, "%.*s%u%s", (int)(hole - word), word, number, hole + 2) < 0 ? NULL : text;
}

/* True when it ended well. Its output is not wanted. */
static int run(char **words, int count, unsigned number)
{
	char **own = calloc((size_t)count + 1, sizeof(*own));
	posix_spawn_file_actions_t quiet;
	int status = 1;
	pid_t pid;

	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	for (int i = 0; own && i < count; i++)
		own[i] = with_number(words[i], number);
	if (!own || posix_spawnp(&pid, own[0], &quiet, NULL, own, environ) != 0 ||
	    waitpid(pid, &status, 0) != pid)
		status = 1;
	for (int i = 0; own && i < count; i++)
		free(own[i]);
	free(own);
	posix_spawn_file_actions_destroy(&quiet);
	return status == 0;
}

int main(int argc, char **argv)
{
	unsigned count, interval_ms;
	double begin;
	FILE *times;

	if (argc < 5 || sscanf(argv[1], "%u", &count) != 1 || sscanf(argv[2], "%u", &interval_ms) != 1) {
		fputs("usage: repeat COUNT INTERVAL_MS TIMES COMMAND...\n", stderr);
		return 2;
	}
	times = fopen(argv[3], "w");
	if (!times) {
		perror(argv[3]);
		return 1;
	}
	begin = seconds_of(CLOCK_MONOTONIC);
	for (unsigned i = 0; i < count; i++) {
		wait_until(begin + i * interval_ms / 1e3);
		fprintf(times, "%u %.6f\n", i, seconds_of(CLOCK_REALTIME));
		if (!run(argv + 4, argc - 4, i)) {
			fprintf(stderr, "repeat: command %u failed\n", i);
			return 1;
		}
	}
	return fclose(times) == 0 ? 0 : 1;
}
