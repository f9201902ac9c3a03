#include "calls.h"

// MARK: Objects

PASS_SESSION(C_CopyObject,
             (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR attributes, CK_ULONG count,
              CK_OBJECT_HANDLE *copy),
             (call.session, object, attributes, count, copy))
PASS_SESSION(C_DestroyObject, (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object), (call.session, object))
PASS_SESSION(C_GetObjectSize, (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ULONG_PTR size),
             (call.session, object, size))
PASS_SESSION(C_SetAttributeValue,
             (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR attributes, CK_ULONG count),
             (call.session, object, attributes, count))
PASS_SESSION(C_FindObjectsInit, (CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR attributes, CK_ULONG count),
             (call.session, attributes, count))
PASS_SESSION(C_FindObjects,
             (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects, CK_ULONG room, CK_ULONG_PTR count),
             (call.session, objects, room, count))
PASS_SESSION(C_FindObjectsFinal, (CK_SESSION_HANDLE session), (call.session))

CK_RV faulty_C_GetAttributeValue(
    CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_PTR attributes, CK_ULONG count)
{
    struct call call;
    if (!call_begin(&call, F_C_GetAttributeValue, SESSION, session)) return call.answer;
    CK_RV answer = real->C_GetAttributeValue(call.session, object, attributes, count);
    if (attributes != NULL) faults_lie(attributes, count);
    return call_end(&call, answer);
}

// MARK: Templates

#define MOST_ATTRIBUTES 64

/// A template, perhaps rewritten so that its key can be read.
struct template {
    CK_ATTRIBUTE attributes[MOST_ATTRIBUTES];
    CK_ATTRIBUTE_PTR first;
    CK_ULONG count;
};

static CK_BBOOL is_false = CK_FALSE;
static CK_BBOOL is_true = CK_TRUE;

/// - Parameter adds: whether what the template leaves out is added, as in templates of new secret and private keys.
static void prepare(
    struct template *template, enum function function, CK_ATTRIBUTE_PTR attributes, CK_ULONG count, bool adds)
{
    const CK_ATTRIBUTE open[] = {
        { CKA_SENSITIVE, &is_false, sizeof is_false }, { CKA_EXTRACTABLE, &is_true, sizeof is_true },
    };
    template->first = attributes;
    template->count = count;
    // A longer template than anybody's goes by as it is.
    if (attributes == NULL || count > MOST_ATTRIBUTES - 2 || !faults_insensitive(function)) return;
    for (CK_ULONG index = 0; index < count; index++) template->attributes[index] = attributes[index];
    for (int which = 0; which < 2; which++) {
        bool is_there = false;
        for (CK_ULONG index = 0; index < count; index++) {
            if (attributes[index].type != open[which].type) continue;
            template->attributes[index] = open[which];
            is_there = true;
        }
        if (!is_there && adds) template->attributes[template->count++] = open[which];
    }
    template->first = template->attributes;
}

CK_RV faulty_C_CreateObject(
    CK_SESSION_HANDLE session, CK_ATTRIBUTE_PTR attributes, CK_ULONG count, CK_OBJECT_HANDLE *object)
{
    struct call call;
    if (!call_begin(&call, F_C_CreateObject, SESSION, session)) return call.answer;
    struct template template;
    prepare(&template, F_C_CreateObject, attributes, count, false);
    return call_end(&call, real->C_CreateObject(call.session, template.first, template.count, object));
}

CK_RV faulty_C_GenerateKey(
    CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR attributes, CK_ULONG count,
    CK_OBJECT_HANDLE *key)
{
    struct call call;
    if (!call_begin(&call, F_C_GenerateKey, SESSION, session)) return call.answer;
    struct template template;
    prepare(&template, F_C_GenerateKey, attributes, count, true);
    return call_end(&call, real->C_GenerateKey(call.session, mechanism, template.first, template.count, key));
}

CK_RV faulty_C_GenerateKeyPair(
    CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_ATTRIBUTE_PTR public_attributes, CK_ULONG public_count,
    CK_ATTRIBUTE_PTR attributes, CK_ULONG count, CK_OBJECT_HANDLE *public_key, CK_OBJECT_HANDLE *private_key)
{
    struct call call;
    if (!call_begin(&call, F_C_GenerateKeyPair, SESSION, session)) return call.answer;
    struct template template;
    prepare(&template, F_C_GenerateKeyPair, attributes, count, true);
    return call_end(&call, real->C_GenerateKeyPair(
        call.session, mechanism, public_attributes, public_count, template.first, template.count, public_key,
        private_key));
}

CK_RV faulty_C_UnwrapKey(
    CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE unwrapping, unsigned char *wrapped,
    CK_ULONG length, CK_ATTRIBUTE_PTR attributes, CK_ULONG count, CK_OBJECT_HANDLE *key)
{
    struct call call;
    if (!call_begin(&call, F_C_UnwrapKey, SESSION, session)) return call.answer;
    struct template template;
    prepare(&template, F_C_UnwrapKey, attributes, count, true);
    return call_end(&call, real->C_UnwrapKey(
        call.session, mechanism, unwrapping, wrapped, length, template.first, template.count, key));
}

CK_RV faulty_C_DeriveKey(
    CK_SESSION_HANDLE session, CK_MECHANISM_PTR mechanism, CK_OBJECT_HANDLE base, CK_ATTRIBUTE_PTR attributes,
    CK_ULONG count, CK_OBJECT_HANDLE *key)
{
    struct call call;
    if (!call_begin(&call, F_C_DeriveKey, SESSION, session)) return call.answer;
    struct template template;
    prepare(&template, F_C_DeriveKey, attributes, count, true);
    return call_end(&call, real->C_DeriveKey(call.session, mechanism, base, template.first, template.count, key));
}
