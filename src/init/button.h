/* The power button, and what a hypervisor presses for it: input devices that have the key. */
#ifndef INIT_BUTTON_H
#define INIT_BUTTON_H

#include "base/types.h"
#include "init/loop.h"

#define BUTTON_DEVICES_MAX 8

struct button {
	struct loop *loop;
	struct loop_source sources[BUTTON_DEVICES_MAX];
	u32 count;
	bool is_pressed; /* for the caller to look at and take back */
};

void button_open(struct button *button, struct loop *loop);

#endif
