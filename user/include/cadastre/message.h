// SPDX-License-Identifier: BSD-2-Clause
/* Endpoint messages as one struct: call, receive, reply (abi/invoke.h). */
#ifndef CADASTRE_MESSAGE_H
#define CADASTRE_MESSAGE_H

#include "cadastre/invoke.h"
#include "abi/methods.h"
#include "abi/interfaces.h"

struct cad_message {
    uint64_t words[4];
    uint64_t transfer;               /* CAD_TRANSFER(count, moves); 0: none */
    cap_id_t caps[CAD_TRANSFER_MAX]; /* in: the sender's; out: the receiver's new ones */
    uint64_t token;                  /* of a received call, to reply to it */
    uint64_t badge;                  /* of a received call: its capability's */
};

/* One endpoint method; `last` is m9: the deadline or the reply token. */
static inline status_t cad_message_invoke(cap_id_t endpoint, unsigned method,
                                          struct cad_message *message, uint64_t last)
{
    uint64_t words[CAD_MESSAGE_WORDS] = {
        message->words[0], message->words[1], message->words[2], message->words[3],
        message->transfer, message->caps[0],  message->caps[1],  message->caps[2],
        message->caps[3],  last};
    uint64_t badge;
    status_t status =
        cad_invoke_10(CAD_CALL(CAD_INTERFACE_ENDPOINT, method), endpoint, words, &badge);

    if (status == CAD_OK) {
        for (unsigned i = 0; i < 4; i++)
            message->words[i] = words[i];
        message->transfer = words[4];
        for (unsigned i = 0; i < CAD_TRANSFER_MAX; i++)
            message->caps[i] = words[5 + i];
        message->token = words[9];
        message->badge = badge;
    }
    return status;
}

/* Sends the message and waits; the reply replaces it. */
static inline status_t cad_message_call(cap_id_t endpoint, struct cad_message *message,
                                        uint64_t deadline_ns)
{
    return cad_message_invoke(endpoint, CAD_METHOD_ENDPOINT_call, message, deadline_ns);
}

/* Waits for a call; its token and badge are in the message. */
static inline status_t cad_message_receive(cap_id_t endpoint, struct cad_message *message,
                                           uint64_t deadline_ns)
{
    uint64_t words[CAD_MESSAGE_WORDS] = {deadline_ns};
    uint64_t badge;
    status_t status = cad_invoke_10(
        CAD_CALL(CAD_INTERFACE_ENDPOINT, CAD_METHOD_ENDPOINT_receive), endpoint, words, &badge);

    if (status != CAD_OK)
        return status;
    for (unsigned i = 0; i < 4; i++)
        message->words[i] = words[i];
    message->transfer = words[4];
    for (unsigned i = 0; i < CAD_TRANSFER_MAX; i++)
        message->caps[i] = words[5 + i];
    message->token = words[9];
    message->badge = badge;
    return CAD_OK;
}

/* Answers the call that `message->token` names, once. */
static inline status_t cad_message_reply(cap_id_t endpoint, struct cad_message *message)
{
    struct cad_message copy = *message;

    return cad_message_invoke(endpoint, CAD_METHOD_ENDPOINT_reply, &copy, message->token);
}

/* Answers, and waits for the next call, which replaces the message. */
static inline status_t cad_message_reply_receive(cap_id_t endpoint, struct cad_message *message)
{
    return cad_message_invoke(endpoint, CAD_METHOD_ENDPOINT_reply_receive, message,
                              message->token);
}

#endif
