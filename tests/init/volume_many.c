/*
 * Opens the data volume of the named disks, as init's child does, and tells what came of it: for
 * tests in guests. Exit code 0: open; 1: read-only; 2: none.
 *
 * usage: volume_many DISKS BOOT DATA [blank] [repair]
 */
#include "init/volume_disk.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct volume_places places = { .patience_ms = 10000 };
	struct error error = { "" };
	struct volume volume;
	bool open;

	if (argc < 4)
		return 3;
	places.disks = argv[1];
	places.boot = argv[2];
	places.data = argv[3];
	for (int i = 4; i < argc; i++) {
		places.wants_blank = places.wants_blank || strcmp(argv[i], "blank") == 0;
		places.repairs = places.repairs || strcmp(argv[i], "repair") == 0;
	}
	open = volume_open_at(&volume, &places, &error);
	printf("device: %s\nnote: %s\nerror: %s\n", volume.device, volume.note,
	       open ? "" : error.text);
	if (open)
		return 0;
	return volume.is_read_only ? 1 : 2;
}
