/*
 * nosync.so, for /etc/ld.so.preload in a bench's namespace: syncing to the disk does nothing. What a
 * sender gains by it is the part of its figure that is the disk's.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int fsync(int fd)
{
	(void)fd;
	return 0;
}

int fdatasync(int fd)
{
	(void)fd;
	return 0;
}

int syncfs(int fd)
{
	(void)fd;
	return 0;
}

int msync(void *address, size_t length, int flags)
{
	(void)address;
	(void)length;
	(void)flags;
	return 0;
}
