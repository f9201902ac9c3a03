#include "CPKCS11.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>

// NSS's softoken reads one more pointer behind pReserved and expects NULL there (its own "real" pReserved; what
// the standard calls pReserved is its LibraryParameters). Other modules never look past the standard structure.
struct initialize_arguments {
    CK_C_INITIALIZE_ARGS standard;
    void *null_after_reserved;
};

CK_FUNCTION_LIST_PTR strongroom_pkcs11_load(const char *path, char *reason, unsigned long reason_size)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *text = dlerror();
        snprintf(reason, reason_size, "%s", text != NULL ? text : "the library does not load");
        return NULL;
    }
    CK_C_GetFunctionList get_function_list = (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList");
    if (get_function_list == NULL) {
        snprintf(reason, reason_size, "%s has no C_GetFunctionList: it is not a PKCS#11 module", path);
        dlclose(library);
        return NULL;
    }
    CK_FUNCTION_LIST_PTR functions = NULL;
    CK_RV result = get_function_list(&functions);
    if (result != CKR_OK || functions == NULL) {
        snprintf(reason, reason_size, "C_GetFunctionList of %s answered 0x%lx", path, result);
        dlclose(library);
        return NULL;
    }
    return functions;
}

CK_RV strongroom_pkcs11_initialize(CK_FUNCTION_LIST_PTR functions, const char *reserved)
{
    struct initialize_arguments arguments = {
        .standard = { .flags = CKF_OS_LOCKING_OK, .pReserved = (void *)reserved },
        .null_after_reserved = NULL,
    };
    if (functions->C_Initialize == NULL) return CKR_FUNCTION_NOT_SUPPORTED;
    return functions->C_Initialize(&arguments);
}

void strongroom_pkcs11_ignore_sigpipe(void)
{
    signal(SIGPIPE, SIG_IGN);
}
