/* Any text as an address: an accepted one parses again from its wire form to the same address. */
#include "base/check.h"
#include "base/text.h"
#include "message/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct address address;
	struct address again;
	struct error error = { 0 };
	struct buf wire;
	struct buf key;
	struct buf key_again;

	buf_init(&wire, ADDRESS_WIRE_MAX);
	buf_init(&key, ADDRESS_WIRE_MAX);
	buf_init(&key_again, ADDRESS_WIRE_MAX);
	if (address_parse(&address, text, &error)) {
		address_add_wire(&address, &wire);
		address_add_key(&address, &key);
		ASSERT(!wire.failed && !key.failed);
		for (size_t i = 0; i < wire.len; i++)
			ASSERT((u8)wire.ptr[i] >= 0x20 && wire.ptr[i] != 0x7f);
		ASSERT(address_parse(&again, buf_slice(&wire), &error));
		ASSERT(slice_equal(address_wire_domain(buf_slice(&wire)),
				   (struct slice){ again.domain, again.domain_len }));
		address_add_key(&again, &key_again);
		ASSERT(slice_equal(buf_slice(&key), buf_slice(&key_again)));
		ASSERT(again.not_dot_atom == address.not_dot_atom);
	} else {
		ASSERT(error.text[0]);
	}
	(void)address_wire_domain(text);
	buf_reset(&wire);
	wire.max = 1u << 20;
	if (address_parse_mailbox(&address, &wire, text, &error))
		ASSERT(address.local_len > 0 && address.domain_len > 2);
	buf_done(&wire);
	buf_done(&key);
	buf_done(&key_again);
	return 0;
}
