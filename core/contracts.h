// SPDX-License-Identifier: BSD-2-Clause
/*
 * Contracts that more than one file's proof reads, of functions that take a CPU: they need the
 * whole register, so they cannot stand in their modules' headers.  For the prover alone; each is
 * proved where its function is, but those of the host's hooks, which are believed.
 */
#ifndef CORE_CONTRACTS_H
#define CORE_CONTRACTS_H

#ifdef __FRAMAC__

/* --- hooks of the host --- */

/* Frames' bytes are in no table. */
/*@ terminates \true;
    exits   \false;
    assigns \nothing;
*/
void host_pages_clear(frame_no_t first, uint32_t count);

/* Interrupts change no table of the authority but ledgers' words, by atomic adds that the
 * proofs take for those of other CPUs. */
/*@ terminates \true;
    exits   \false;
    assigns \nothing;
*/
void host_interrupt_window(const struct core_cpu *cpu);

/* --- frames --- */

/*@ requires numbers: first + count <= UINT32_MAX + 1;
    terminates \true;
    exits   \false;
    assigns \nothing;
*/
void frame_run_clear(const struct core_cpu *cpu, frame_no_t first, uint32_t count);

/* --- ledgers --- */

/*@ // The ledgers a CPU works on: where they are, and that nothing else is there.
    predicate ledgers_shape{L}(struct core_cpu *cpu) =
      \valid_read(cpu) && \valid(cpu->cadastre) && id_pool_shape(&cpu->cadastre->ledgers.ids) &&
      \valid(cpu->cadastre->ledgers.ledgers + (0 .. cpu->cadastre->ledgers.ids.limit - 1)) &&
      \separated(cpu, cpu->cadastre,
                 cpu->cadastre->ledgers.ledgers + (0 .. cpu->cadastre->ledgers.ids.limit - 1),
                 cpu->cadastre->ledgers.ids.slots + (0 .. cpu->cadastre->ledgers.ids.limit - 1));
    predicate ledger_live{L}(struct core_cpu *cpu, integer ledger) =
      id_live(&cpu->cadastre->ledgers.ids, ledger);
    logic struct ledger *ledger_record{L}(struct core_cpu *cpu, integer ledger) =
      cpu->cadastre->ledgers.ledgers + ledger;
*/

/*@ requires ledgers_shape(cpu) && 0 <= what < CAD_RESOURCE_COUNT;
    terminates \true;
    exits   \false;
    assigns ledger_record(cpu, ledger)->available[what];
    ensures live: ledger_live(cpu, ledger);
    behavior fits:
      assumes ledger_record(cpu, ledger)->available[what] >= amount;
      ensures \result == CAD_OK;
      ensures charged: ledger_record(cpu, ledger)->available[what] ==
        \old(ledger_record(cpu, ledger)->available[what]) - amount;
    behavior used_up:
      assumes ledger_record(cpu, ledger)->available[what] < amount;
      ensures own_refusal: \result == CAD_QUOTA_VIRTUAL + what;
      ensures unchanged: ledger_record(cpu, ledger)->available[what] ==
        \old(ledger_record(cpu, ledger)->available[what]);
    complete behaviors;
    disjoint behaviors;
*/
status_t ledger_reserve(struct core_cpu *cpu, uint32_t ledger, enum cad_resource what,
                        uint64_t amount);

/*@ requires ledgers_shape(cpu) && 0 <= what < CAD_RESOURCE_COUNT;
    requires ledger_word_ok(ledger_record(cpu, ledger), what);
    terminates \true;
    exits   \false;
    assigns ledger_record(cpu, ledger)->available[what];
    ensures live: ledger_live(cpu, ledger);
    ensures was_used: \old(ledger_in_use(ledger_record(cpu, ledger), what)) >= amount;
    ensures given_back: ledger_record(cpu, ledger)->available[what] ==
      \old(ledger_record(cpu, ledger)->available[what]) + amount;
    ensures ledger_word_ok(ledger_record(cpu, ledger), what);
*/
void ledger_release(struct core_cpu *cpu, uint32_t ledger, enum cad_resource what, uint64_t amount);

/*@ requires ledgers_shape(cpu);
    requires no_overflow: ledger_record(cpu, ledger)->references < UINT32_MAX;
    terminates \true;
    exits   \false;
    assigns ledger_record(cpu, ledger)->references;
    ensures live: ledger_live(cpu, ledger);
    ensures had_one: \old(ledger_record(cpu, ledger)->references) > 0;
    ensures one_more: ledger_record(cpu, ledger)->references ==
      \old(ledger_record(cpu, ledger)->references) + 1;
*/
void ledger_take(struct core_cpu *cpu, uint32_t ledger);

#endif

#endif
