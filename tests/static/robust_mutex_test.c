/*
 * LMDB's write lock under static musl: a writer that is killed while it holds the lock must not
 * stop the next one, and what it had not committed must be gone. A program of its own, without the
 * test library, because it is built with the sysroot's compiler. Writers are separate processes
 * that run this same file with two arguments. One argument is the number of kills a test, else
 * 1,000.
 *
 * The database holds two records, "a" and "b", which every transaction sets to the same number.
 */
#include <errno.h>
#include <lmdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int rounds = 1000;
/* Only so that a lock which is never handed on ends in a failure rather than in silence. */
enum { HANG_S = 300 };

static unsigned failed, passed;

static void fail(const char *what, int round, int error)
{
	fprintf(stderr, "round %d: %s: %s\n", round, what, error ? mdb_strerror(error) : "wrong");
	exit(1);
}

static void on_alarm(int signal)
{
	static const char text[] = "the lock of a killed writer was not handed on\n";

	(void)signal;
	(void)!write(2, text, sizeof(text) - 1);
	_exit(1);
}

static MDB_env *env_open(const char *folder)
{
	MDB_env *env = NULL;
	int error = mdb_env_create(&env);

	/* Killed processes lose nothing that was written, synced or not. */
	if (error == 0)
		error = mdb_env_open(env, folder, MDB_NOSYNC, 0600);
	if (error != 0)
		fail("open", 0, error);
	return env;
}

static int number_put(MDB_txn *txn, MDB_dbi dbi, const char *name, unsigned number)
{
	MDB_val key = { 1, (void *)name }, value = { sizeof(number), &number };

	return mdb_put(txn, dbi, &key, &value, 0);
}

static unsigned number_get(MDB_txn *txn, MDB_dbi dbi, const char *name)
{
	MDB_val key = { 1, (void *)name }, value;
	unsigned number = 0;

	if (mdb_get(txn, dbi, &key, &value) == 0 && value.mv_size == sizeof(number))
		memcpy(&number, value.mv_data, sizeof(number));
	return number;
}

/* One transaction: both records to the number before plus one. Leaves it open if txn is wanted. */
static int env_count(MDB_env *env, MDB_txn **open)
{
	MDB_txn *txn;
	MDB_dbi dbi;
	unsigned a;
	int error = mdb_txn_begin(env, NULL, 0, &txn);

	if (error != 0)
		return error;
	error = mdb_dbi_open(txn, NULL, 0, &dbi);
	if (error == 0) {
		a = number_get(txn, dbi, "a");
		if (number_get(txn, dbi, "b") != a)
			fail("a and b differ", (int)a, 0);
		error = number_put(txn, dbi, "a", a + 1);
		if (error == 0)
			error = number_put(txn, dbi, "b", a + 1);
	}
	if (error != 0) {
		mdb_txn_abort(txn);
		return error;
	}
	if (open) {
		*open = txn;
		return 0;
	}
	return mdb_txn_commit(txn);
}

static unsigned env_number(MDB_env *env)
{
	MDB_txn *txn;
	MDB_dbi dbi;
	unsigned a = 0, b = 0;

	if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0)
		fail("read", 0, 0);
	if (mdb_dbi_open(txn, NULL, 0, &dbi) == 0) {
		a = number_get(txn, dbi, "a");
		b = number_get(txn, dbi, "b");
	}
	mdb_txn_abort(txn);
	if (a != b)
		fail("a and b differ", (int)a, 0);
	return a;
}

/* The writers, each a process: `hold` takes the lock and keeps it until killed, `once` commits one
 * transaction, `endless` commits until killed. Each says on standard output when it has begun. */
static int writer_run(const char *kind, const char *folder)
{
	MDB_env *env = env_open(folder);
	MDB_txn *txn;
	int error = 0;

	if (strcmp(kind, "hold") == 0) {
		error = env_count(env, &txn);
		if (error == 0 && write(1, "h", 1) == 1)
			for (;;)
				pause();
	} else if (strcmp(kind, "once") == 0) {
		if (write(1, "o", 1) == 1)
			error = env_count(env, NULL);
		mdb_env_close(env);
	} else {
		while (error == 0 && write(1, "e", 1) == 1)
			error = env_count(env, NULL);
	}
	return error == 0 ? 0 : 1;
}

struct writer {
	pid_t pid;
	int out;
};

/* Starts a writer and waits until it is under way. */
static struct writer writer_start(const char *kind, const char *folder, int round)
{
	struct writer writer;
	int ends[2];
	char byte;

	if (pipe(ends) != 0)
		fail("pipe", round, errno);
	writer.pid = fork();
	if (writer.pid == 0) {
		/* A test that fails must not leave its writers behind. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], 1);
		close(ends[0]);
		close(ends[1]);
		execl("/proc/self/exe", "writer", kind, folder, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	writer.out = ends[0];
	if (writer.pid < 0 || read(writer.out, &byte, 1) != 1)
		fail("the writer did not start", round, 0);
	return writer;
}

static void writer_kill(struct writer *writer, int round)
{
	int status;

	if (kill(writer->pid, SIGKILL) != 0 || waitpid(writer->pid, &status, 0) != writer->pid ||
		!WIFSIGNALED(status))
		fail("the writer ended before it was killed", round, 0);
	close(writer->out);
}

static void lock_passes_on_after_a_kill(const char *folder, MDB_env *env)
{
	for (int round = 0; round < rounds; round++) {
		unsigned before = env_number(env);
		struct writer holder = writer_start("hold", folder, round);
		int error;

		writer_kill(&holder, round);
		error = env_count(env, NULL);
		if (error != 0)
			fail("the next writer", round, error);
		if (env_number(env) != before + 1)
			fail("an uncommitted change was seen", round, 0);
	}
}

static void waiting_writer_is_woken(const char *folder, MDB_env *env)
{
	for (int round = 0; round < rounds; round++) {
		unsigned before = env_number(env);
		struct writer holder = writer_start("hold", folder, round);
		struct writer next = writer_start("once", folder, round);
		int status;

		usleep(500);
		writer_kill(&holder, round);
		if (waitpid(next.pid, &status, 0) != next.pid || status != 0)
			fail("the waiting writer", round, 0);
		close(next.out);
		if (env_number(env) != before + 1)
			fail("not exactly one change was committed", round, 0);
	}
}

static void kill_amid_commits_leaves_whole_ones(const char *folder, MDB_env *env)
{
	for (int round = 0; round < rounds; round++) {
		struct writer busy = writer_start("endless", folder, round);
		unsigned before, after;
		int error;

		usleep((useconds_t)(round * 7 % 1000));
		writer_kill(&busy, round);
		before = env_number(env);
		error = env_count(env, NULL);
		if (error != 0)
			fail("the next writer", round, error);
		/* A writer that dies after its last page was written, but before it said so to readers,
		 * has committed: readers see that once the next writer has taken over its lock. */
		after = env_number(env);
		if (after != before + 1 && after != before + 2)
			fail("the number jumped", round, 0);
	}
}

static void report(const char *name, void (*test)(const char *, MDB_env *), const char *folder)
{
	pid_t pid = fork();
	int status = 1;

	/* A process of its own each: an environment must not be carried across fork. */
	if (pid == 0) {
		MDB_env *env = env_open(folder);

		alarm(HANG_S);
		test(folder, env);
		mdb_env_close(env);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("%-6s %s\n", status == 0 ? "ok" : "FAILED", name);
	fflush(stdout);
	*(status == 0 ? &passed : &failed) += 1;
}

int main(int argc, char **argv)
{
	char folder[] = "/tmp/hikyaku-robust-XXXXXX", file[64];

	if (argc == 3)
		return writer_run(argv[1], argv[2]);
	if (argc == 2)
		rounds = (int)strtol(argv[1], NULL, 10);
	signal(SIGALRM, on_alarm);
	if (!mkdtemp(folder))
		fail("folder", 0, errno);
	report("the lock passes on after a kill", lock_passes_on_after_a_kill, folder);
	report("a waiting writer is woken when the holder is killed", waiting_writer_is_woken,
	       folder);
	report("a kill amid commits leaves whole ones", kill_amid_commits_leaves_whole_ones,
	       folder);
	snprintf(file, sizeof(file), "%s/data.mdb", folder);
	unlink(file);
	snprintf(file, sizeof(file), "%s/lock.mdb", folder);
	unlink(file);
	rmdir(folder);
	printf("%u passed, %u failed\n", passed, failed);
	return failed ? 1 : 0;
}
