/* /api/v1/openapi.json: what the interface is, for people's tools (OpenAPI 3.1). */
#include "web/route.h"

/* The document, as the assembler took it in. */
extern const char api_document_text[];
extern const u64 api_document_size;

__asm__(".section .rodata\n"
	".global api_document_text\n"
	".global api_document_size\n"
	"api_document_text:\n"
	".incbin \"src/web/openapi.json\"\n"
	"api_document_end:\n"
	".balign 8\n"
	"api_document_size:\n"
	".quad api_document_end - api_document_text\n"
	".previous\n");

void api_document(struct call *call)
{
	call_answer_text(call, 200, "application/json",
			 (struct slice){ api_document_text, api_document_size });
}
