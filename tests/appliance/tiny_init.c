/*
 * Init of a system that is there to be started: says its name and the kernel's command line, then the
 * disks that it sees, and does what it is told on the console. NAME and PANICS come from the compiler's
 * command line. Kernels of ours run no scripts.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

static void show(const char *path)
{
	char text[4096];
	FILE *file = fopen(path, "r");
	size_t len = file ? fread(text, 1, sizeof(text), file) : 0;

	fwrite(text, 1, len, stdout);
	if (file)
		fclose(file);
}

int main(void)
{
	char word[64];
	int console;

	if (mount("proc", "/proc", "proc", 0, NULL) < 0 || mount("dev", "/dev", "devtmpfs", 0, NULL) < 0)
		return 1;
	console = open("/dev/console", O_RDWR);
	for (int fd = 0; fd <= 2; fd++)
		dup2(console, fd);
	setvbuf(stdout, NULL, _IONBF, 0);
	printf("system " NAME " runs: ");
	show("/proc/cmdline");
	if (PANICS)
		return 1; /* an init that ends takes the kernel with it */
	show("/proc/partitions");
	while (fgets(word, sizeof(word), stdin)) {
		if (strncmp(word, "reboot", 6) == 0)
			reboot(RB_AUTOBOOT);
		if (strncmp(word, "poweroff", 8) == 0)
			reboot(RB_POWER_OFF);
	}
	return 1;
}
