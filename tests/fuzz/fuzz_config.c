/* SPDX-License-Identifier: BSD-2-Clause
 * fuzz_config.c - bytes as the text of a configuration file: refused with a reason, or values in their ranges
 * that are the same again when they are printed and read. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "runtime/config.h"

static bool printable(const char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

/* In its range, and a field may have it, too. */
static void check_value(const struct config_key *key, uint32_t value)
{
	struct config_choice field = { 0 };
	struct config_error error;
	bool word = false;
	for (size_t i = 0; i < CONFIG_WORDS && key->words[i].text; i++)
		word |= key->words[i].value == value;
	MUST(word || (value >= key->min && value <= key->max));
	MUST(heist_config_from_field(key, value, &field, &error));
	MUST(value == 0 ? key->min == 0 : field.value == value && field.source == CONFIG_FIELD);
}

static void check_again(const struct config_choice first[CONFIG_KEYS])
{
	struct config_choice second[CONFIG_KEYS] = { 0 };
	struct config_error error;
	static char text[CONFIG_KEYS * 512];
	size_t used = 0;
	for (size_t k = 0; k < CONFIG_KEYS; k++) {
		heist_config_describe(&heist_config_keys[k], &first[k], "f", text + used, 512);
		used += strlen(text + used);
	}
	MUST(heist_config_from_text(text, used, "g", second, &error));
	for (size_t k = 0; k < CONFIG_KEYS; k++)
		MUST(first[k].source == second[k].source && first[k].value == second[k].value);
}

/* As a variable it is refused, or gives a value. */
static void check_variable(const uint8_t *bytes, size_t size)
{
	struct config_choice choice = { 0 };
	struct config_error error;
	char text[64];
	size_t n = size < sizeof text ? size : sizeof text - 1;
	memcpy(text, bytes, n);
	text[n] = '\0';
	for (size_t k = 0; k < CONFIG_KEYS; k++) {
		choice = (struct config_choice){ 0 };
		if (!heist_config_from_variable(&heist_config_keys[k], text, &choice, &error))
			MUST(printable(error.text) && strlen(error.text) > 20);
		else if (choice.source == CONFIG_ENVIRONMENT)
			check_value(&heist_config_keys[k], choice.value);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct config_choice choice[CONFIG_KEYS] = { 0 };
	struct config_error error = { { 0 } };
	check_variable(bytes, size);
	char *text =
		malloc(size ? size : 1); /* of exactly that size: AddressSanitizer sees its end */
	MUST(text);
	memcpy(text, bytes, size);
	if (heist_config_from_text(text, size, "f", choice, &error)) {
		for (size_t k = 0; k < CONFIG_KEYS; k++)
			if (choice[k].source == CONFIG_FILE)
				check_value(&heist_config_keys[k], choice[k].value);
		check_again(choice);
	} else {
		MUST(printable(error.text) && strncmp(error.text, "f:", 2) == 0);
	}
	free(text);
	return 0;
}
