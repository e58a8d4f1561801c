#ifndef CFUZZER_H
#define CFUZZER_H

#include <stddef.h>
#include <stdint.h>

/// libFuzzer's own main function, without the name.
int LLVMFuzzerRunDriver(
    int *argc,
    char ***argv,
    int (*test)(const uint8_t *bytes, size_t count)
);

#endif
