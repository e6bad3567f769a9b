/*
 * The incident of August 2022 as a model: three people, three cards, one terminal.
 *
 * People do the same in every variant: they are called or sit down uncalled, put a card down, forget it there, log in
 * with their PIN, register, log out or just walk away. What differs is which walls stand:
 *
 *   -DNO_LEASE              no gate, no presence: a browser that stays as the one before left it
 *   -DLEASE_ONLY            gate and box: a visit is closed with proof before the next is called
 *   -DPOSSESSION_ONLY       presence: the browser belongs to the card on the reader
 *   -DLEASE_AND_POSSESSION  gate, box and presence
 *   -DFULL                  gate, box, presence, and card and PIN again for every write
 *
 * A registration that lands on another person's card is an assertion violation. The states, events and transitions are
 * those of the product: table.pml is generated from its tables.
 */

#ifdef LEASE_ONLY
#define GATE
#endif
#ifdef POSSESSION_ONLY
#define PRESENCE
#endif
#ifdef LEASE_AND_POSSESSION
#define GATE
#define PRESENCE
#endif
#ifdef FULL
#define GATE
#define PRESENCE
#define PROOF
#endif

#define PEOPLE 3
#ifndef LEASES
#define LEASES 3 /* calls in all; a visit returned to the queue takes one more */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef FAILURES
#define FAILURES 1 /* wipes that cannot be proven */
#endif
#define QUEUE 3

/* --- what the words of the visit table do */

#define V_KEEP_TERMINAL(v)         skip
#define V_KEEP_LEASE(v)            visit[v].lease = x_lease
#define V_KEEP_CARD_TAG(v)         visit[v].card = x_card
#define V_KEEP_CAUSE(v)            skip
#define V_KEEP_PROOF(v)            visit[v].proof = true
#define V_KEEP_CONFIRMATION(v)     visit[v].confirmed = true
#define V_KEEP_OUTCOME(v)          skip
#define V_SET_PROOF(v, value)      visit[v].proof = value
#define V_SET_CAUSE(v, value)      skip
#define V_IF_SAME_CARD(v)          (x_card == visit[v].card)
#define V_IF_NOT_CONFIRMED(v)      (!visit[v].confirmed)
#define V_IF_WIPED_AND_CONFIRMED(v) (visit[v].proof && visit[v].confirmed)
#define V_DO_GRANT_LEASE(v)        skip
#define V_DO_TELL_TERMINAL(v)      skip
#define V_DO_RETIRE_TERMINAL(v)    skip
#define V_DO_CLOSE_VISIT(v)        close_now = true
#define V_FORGET(v)                visit[v].lease = 0; visit[v].card = 0

/* --- what the words of the terminal table do; effects wait in flags, so that a crash can come before them */

#define T_KEEP_VISIT               terminal.visit = x_visit
#define T_KEEP_LEASE               terminal.lease = x_lease
#define T_KEEP_CARD_TAG            terminal.card = x_card
#define T_KEEP_CAUSE               skip
#define T_KEEP_PROOF               skip
#define T_SET_CAUSE(value)         skip
#define T_SET_EXPOSED(value)       terminal.exposed = value
#define T_SET_CARD_AWAY(value)     terminal.away = value
#define T_SET_CARD_TAG(value)      terminal.card = 0
#define T_IF_EXPOSED               terminal.exposed
#define T_IF_NOT_EXPOSED           (!terminal.exposed)
#define T_IF_SAME_CARD             (x_card == terminal.card)
#define T_IF_OTHER_CARD            (x_card != terminal.card)
#define T_IF_ASKED_SAME_CARD       (terminal.exposed && x_card == terminal.card)
#define T_IF_ASKED_OTHER_CARD      (terminal.exposed && x_card != terminal.card)
#define T_IF_CARD_HERE             (terminal.exposed && !terminal.away)
#define T_IF_CARD_AWAY             (terminal.exposed && terminal.away)
#define T_IF_SAME_VISIT            (x_visit == terminal.visit && x_lease == terminal.lease)
#define T_DO_BIND                  do_bind = true
#define T_DO_OPEN_BOX              do_open = true
#define T_DO_DROP_CURTAIN          do_drop = true
#define T_DO_LIFT_CURTAIN          do_lift = true
#define T_DO_START_GRACE           skip
#define T_DO_STOP_GRACE            skip
#define T_DO_DESTROY_BOX           do_destroy = true
#define T_DO_REPORT_END            report(e_end)
#define T_DO_REPORT_WIPE_PROVEN    report(e_wipe_proven)
#define T_DO_REPORT_WIPE_FAILED    report(e_wipe_failed)
#define T_DO_REPORT_CONFIRM        report(e_confirm)
#define T_DO_REPORT_SWEEP_PROVEN   skip /* about no visit: it changes none */
#define T_DO_REPORT_CURTAIN        skip /* serving stays serving; left out to keep the outbox short */
#define T_DO_REPORT_UNCURTAIN      skip /* see above */
#define T_FORGET \
  terminal.visit = 0; terminal.lease = 0; terminal.card = 0; terminal.exposed = false; terminal.away = false

#ifdef GATE
#define report(event)  up!event(terminal.visit, terminal.lease)
#define may_report     (len(up) < QUEUE)
#define nothing_unsent (len(up) == 0)
#else
#define report(event)  skip
#define may_report     true
#define nothing_unsent true
#endif

#define shown (box && !curtained && (down || terminal.state == t_open))

#ifdef PROOF
#define may_write(p) (reader == session && reader == p) /* this card signs, and only its owner knows the PIN */
#else
#ifdef OWN_CARD_READ
#define may_write(p) (reader == p) /* show only what happens to people who did put their own card down (the seed) */
#else
#define may_write(p) true
#endif
#endif

#define standing(wanted) (visit[1].state == wanted || visit[2].state == wanted || visit[3].state == wanted)
#define nobody (holds(1) + holds(2) + holds(3) == 0)
#define other_visit (x_visit != terminal.visit || x_lease != terminal.lease)
#define same_visit (x_visit == terminal.visit && x_lease == terminal.lease)
#define holds(v) \
  (visit[v].state == v_called || visit[v].state == v_serving || visit[v].state == v_ending || visit[v].state == v_confirming)

#ifdef PRESENCE
#define notices true
#else
#define notices (terminal.state == t_waiting_card) /* the card says who comes; that it leaves is not looked at */
#endif

/* which rows of the tables were ever taken; no part of the state, printed when the search is over */
c_decl {
\#include <stdio.h>
\#include <stdlib.h>
static unsigned char visit_rows[256], terminal_rows[256];
static void print_rows(void) {
  int n;
  for (n = 0; n < 256; n++) if (visit_rows[n]) printf("visit row %d taken\n", n);
  for (n = 0; n < 256; n++) if (terminal_rows[n]) printf("terminal row %d taken\n", n);
}
}
#define V_ROW(n) c_code { visit_rows[n] = 1; }
#define T_ROW(n) c_code { terminal_rows[n] = 1; }

#include "table.pml"

typedef Visit { mtype state; byte lease; byte card; bool proof; bool confirmed };
typedef Terminal { mtype state; byte visit; byte lease; byte card; bool exposed; bool away };

Visit visit[PEOPLE + 1]; /* [0] stays empty: person, card and visit have the same number, 0 is nobody */
Terminal terminal;
byte lease;              /* the last one granted */

bool box;                /* a browser exists */
byte box_visit, box_card;
bool curtained;
bool wiping;             /* a destruction has been started */
byte session;            /* whose log-in runs in the browser; the sites of 2022 never replace it */
bool down;               /* the agent has crashed */
byte crashes, failures;
bool cleared;            /* an officer's word, on its way to the terminal */

byte reader;             /* which card lies on the reader */
byte noticed;            /* which card the agent believes to lie there */

bool taken;              /* did a row of the table fit? */
byte x_visit, x_lease, x_card; /* the fields of the event at hand */

chan up = [QUEUE] of { mtype, byte, byte };         /* outbox: event, visit, lease */
chan ask = [1] of { byte, byte, byte, bool };       /* the question BIND_CARD: visit, lease, card; does the asker live? */
chan answer = [1] of { bool, byte };                /* its answer: bound?, lease */

/* --- the two machines, with the lease rule of the product's `step` before the table */

bool close_now;

inline visit_step(v, event) {
  close_now = false;
  if
  :: visit[v].lease == x_lease || event == e_call -> visit_table(v, event)
  :: else -> taken = false /* an old lease changes nothing (I6) */
  fi;
  if
  :: close_now -> visit_table(v, e_close); assert(taken)
  :: else
  fi;
  if /* nothing looks at a finished visit again: old messages fail by its state */
  :: visit[v].state == v_closed || visit[v].state == v_withdrawn ->
     visit[v].lease = 0; visit[v].card = 0; visit[v].proof = false; visit[v].confirmed = false
  :: else
  fi;
  check()
}

bool do_bind, do_open, do_drop, do_lift, do_destroy;

inline terminal_step(event) {
  terminal_table(event);
  if
  :: crashes < CRASHES -> fall() /* journaled, and nothing of it done */
  :: true -> effects()
  fi;
  check();
  x_visit = 0; x_lease = 0; x_card = 0; taken = false;
  do_bind = false; do_open = false; do_drop = false; do_lift = false; do_destroy = false
}

inline effects() {
  if
  :: do_bind -> bind()
  :: else
  fi;
  if
  :: do_open ->
     box = true; curtained = false; session = 0; box_visit = terminal.visit; box_card = terminal.card;
     printf("the browser opens\n")
  :: else
  fi;
  if
  :: do_drop -> curtained = true; printf("the curtain falls\n")
  :: do_lift -> curtained = false; printf("the curtain rises\n")
  :: else
  fi;
  if
  :: do_destroy -> wiping = true
  :: else
  fi
}

#ifdef GATE
/* an older question that is still on its way is overtaken: the agent has only one */
inline bind() {
  if
  :: len(ask) > 0 -> ask?_, _, _, _
  :: else
  fi;
  ask!terminal.visit, terminal.lease, terminal.card, true
}

/* it may still arrive, but nobody waits for its answer any more */
inline orphan_question() {
  if
  :: len(ask) > 0 -> ask?x_visit, x_lease, x_card, taken; ask!x_visit, x_lease, x_card, false
  :: else
  fi;
  x_visit = 0; x_lease = 0; x_card = 0; taken = false
}

inline unsent_is_lost() {
  do
  :: len(up) > 0 -> up?_, _, _
  :: else -> break
  od
}
#else
inline bind() { answer!true, terminal.lease } /* nobody to ask */
inline orphan_question() { skip }
inline unsent_is_lost() { skip }
#endif

inline gone() { box = false; curtained = false; session = 0; box_visit = 0; box_card = 0 }

/* SIGKILL or a power cut: the journal and the outbox stay, what was asked and what was begun is gone */
inline fall() {
  down = true; wiping = false; crashes++; printf("the agent crashes\n");
  if
  :: len(answer) > 0 -> answer?_, _
  :: else
  fi;
  orphan_question()
}

/* a new machine, or a new disk in the old one: nothing is remembered, and no box is left */
inline fresh() { T_FORGET; terminal.state = t_locked; noticed = reader; gone(); unsent_is_lost() }

/* I1, I2 and I4 of the design; I3 is the assertion at `write` */
#ifdef GATE
inline check() {
  assert(holds(1) + holds(2) + holds(3) <= 1);
  assert(!box || visit[box_visit].state == v_serving || visit[box_visit].state == v_ending);
  assert(!box || visit[box_visit].card == box_card);
  assert(!box || terminal.state == t_open || terminal.state == t_curtained || terminal.state == t_ending ||
    terminal.state == t_quarantined)
}
#else
inline check() { skip }
#endif

/* --- people: anybody may sit there at any time, called or not; `p` is whoever does it */

#define put_down(p) \
  atomic { reader == 0 -> reader = p; printf("%c puts the card down\n", 'A' + p - 1) }
#define log_in(p) /* card and PIN */ \
  atomic { shown && session == 0 && reader == p -> session = p; printf("%c logs in\n", 'A' + p - 1) }
#define write(p) /* what p registers lands on session */ \
  atomic { shown && session != 0 && may_write(p) -> \
    if \
    :: session != p -> printf("WRONG: what %c registers lands on %c\n", 'A' + p - 1, 'A' + session - 1) \
    :: else \
    fi; \
    assert(session == p) }

proctype people() {
  do
  :: put_down(1) :: put_down(2) :: put_down(3)
  :: atomic { reader != 0 -> printf("%c's card is taken away\n", 'A' + reader - 1); reader = 0 } /* or forgotten */
  :: log_in(1) :: log_in(2) :: log_in(3)
  :: atomic { shown && session != 0 -> printf("%c logs out\n", 'A' + session - 1); session = 0 } /* or forgets to */
  :: write(1) :: write(2) :: write(3)
  od
}

/* --- the office */

#ifdef GATE
inline the_visit() {
  if
  :: holds(1) -> v = 1
  :: holds(2) -> v = 2
  :: holds(3) -> v = 3
  fi;
  x_lease = visit[v].lease
}

proctype office() {
  byte v;
  mtype event;
  bool waited;
  do
  :: atomic {
      if
      :: lease < LEASES && nobody && (visit[1].state == v_waiting || visit[2].state == v_waiting ||
           visit[3].state == v_waiting) -> /* the gate: nobody is called while a visit holds the terminal */
         if /* in the order of the tickets */
         :: visit[1].state == v_waiting -> v = 1
         :: visit[1].state != v_waiting && visit[2].state == v_waiting -> v = 2
         :: visit[1].state != v_waiting && visit[2].state != v_waiting -> v = 3
         fi;
         assert(!box);
         event = e_call; lease++; x_lease = lease; cleared = false; printf("%c is called\n", 'A' + v - 1)
      :: standing(v_called) -> the_visit(); event = e_return_to_queue
      :: standing(v_called) -> the_visit(); event = e_withdraw
      :: standing(v_confirming) -> the_visit(); event = e_confirm /* at a staff screen */
      :: terminal.state == t_quarantined && !cleared && nothing_unsent -> /* an officer clears the terminal */
         cleared = true;
         if
         :: standing(v_ending) -> the_visit(); event = e_clear
         :: else /* no visit on it */
         fi
      :: down && (standing(v_serving) || standing(v_ending)) -> /* an officer has seen the machine destroyed */
         fresh(); the_visit(); event = e_attest_wipe
      :: ask?v, x_lease, x_card, waited -> event = e_bind_card
      :: up?event(v, x_lease)
      :: up?<event, v, x_lease> /* it arrives, and will arrive again */
      fi;
      if
      :: v != 0 -> visit_step(v, event)
      :: else /* about no visit */
      fi;
      if
      :: waited -> answer!taken, x_lease; waited = false
      :: else
      fi;
      v = 0; event = 0; x_lease = 0; x_card = 0; taken = false; close_now = false
    }
  od
}

/* `order_of` of the product: what the office's picture means for the terminal */
inline poll() {
  if
  :: holds(1) -> x_visit = 1
  :: holds(2) -> x_visit = 2
  :: holds(3) -> x_visit = 3
  :: else -> x_visit = 0
  fi;
  x_lease = visit[x_visit].lease;
  if
  :: terminal.state == t_locked && nothing_unsent && x_visit != 0 && visit[x_visit].state == v_called ->
     event = e_assign
  :: terminal.state == t_locked && nothing_unsent && (visit[x_visit].state == v_serving ||
       visit[x_visit].state == v_ending) -> event = e_orphan
  :: terminal.state == t_waiting_card && nothing_unsent && other_visit -> event = e_unassign
  :: terminal.state == t_waiting_card && nothing_unsent && same_visit && !terminal.exposed &&
       visit[x_visit].state != v_called -> event = e_orphan
  :: (terminal.state == t_open || terminal.state == t_curtained) && other_visit -> event = e_end
  :: terminal.state == t_confirming && nothing_unsent && other_visit -> event = e_server_closed
  :: terminal.state == t_confirming && nothing_unsent && same_visit && visit[x_visit].state != v_confirming ->
     event = e_orphan
  :: terminal.state == t_quarantined && cleared -> cleared = false; event = e_clear
  :: else
  fi
}
#else
/* no office: whoever comes next may begin, and what ended is forgotten at once */
inline poll() {
  x_visit = 1; x_lease = 1;
  if
  :: terminal.state == t_locked -> event = e_assign
  :: terminal.state == t_confirming -> event = e_server_closed
  :: terminal.state == t_quarantined -> event = e_clear
  :: else
  fi
}
#endif

/* --- the agent */

proctype counter() {
  mtype event;
  bool bound;
  do
  :: atomic {
      if
      /* what the reader tells, late and sometimes only the last of it */
      :: !down && reader != noticed && notices && may_report ->
         x_card = reader; noticed = reader;
         if
         :: x_card == 0 -> event = e_card_gone
         :: x_card != 0 -> event = e_card_seen
         fi
      /* the end button, the idle timer, the grace time, a dead browser, a doubt, an order to end */
      :: !down && may_report && (terminal.state == t_open || terminal.state == t_curtained ||
           terminal.state == t_ending || (terminal.state == t_waiting_card && terminal.exposed)) -> event = e_end
      :: !down && wiping && may_report ->
         wiping = false; gone(); event = e_wipe_proven; printf("the browser is destroyed\n")
      :: !down && wiping && may_report && failures < FAILURES -> failures++; wiping = false; event = e_wipe_failed
      /* the citizen signs at the terminal */
      :: !down && terminal.state == t_confirming && may_report -> event = e_confirm
      :: !down && len(answer) > 0 ->
         answer?bound, x_lease;
         if
         :: x_lease == terminal.lease && bound -> event = e_bound
         :: x_lease == terminal.lease && !bound -> event = e_bind_refused
         :: else /* an old answer */
         fi;
         bound = false
      :: !down && !wiping && may_report -> poll()
      :: down && may_report -> down = false; noticed = reader; event = e_restart
      :: down -> fresh(); down = false; event = e_restart
      fi;
      terminal_step(event);
      event = 0
    }
  :: atomic { !down && crashes < CRASHES -> fall() }
#ifndef PRESENCE
  :: atomic { !down && reader != noticed && !notices -> noticed = reader }
#endif
  od
}

init {
  atomic {
    c_code { atexit(print_rows); };
    terminal.state = t_ending; wiping = true; /* a start: sweep first */
    visit[0].state = v_withdrawn;
    visit[1].state = v_waiting; visit[2].state = v_waiting; visit[3].state = v_waiting;
    run people();
    run counter();
#ifdef GATE
    run office()
#endif
  }
}
