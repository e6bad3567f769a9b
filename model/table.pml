/* Generated from src/madoguchi/protocol by `python -m madoguchi.protocol.promela`. Do not edit. */

mtype = {
  v_waiting, v_called, v_serving, v_ending, v_confirming, v_closed, v_withdrawn,
  t_locked, t_waiting_card, t_open, t_curtained, t_ending, t_confirming, t_quarantined,
  e_issue,
  e_call,
  e_return_to_queue,
  e_withdraw,
  e_bind_card,
  e_curtain,
  e_uncurtain,
  e_ask_end,
  e_end,
  e_wipe_proven,
  e_wipe_failed,
  e_sweep_proven,
  e_clear,
  e_attest_wipe,
  e_confirm,
  e_close,
  e_assign,
  e_unassign,
  e_orphan,
  e_card_seen,
  e_card_gone,
  e_bound,
  e_bind_refused,
  e_restart,
  e_server_closed
};

inline visit_table(v, event) {
  taken = true;
  if
  :: visit[v].state == v_waiting && event == e_call -> V_KEEP_TERMINAL(v); V_KEEP_LEASE(v); visit[v].state = v_called; V_DO_GRANT_LEASE(v); V_DO_TELL_TERMINAL(v); V_ROW(1)
  :: visit[v].state == v_called && event == e_return_to_queue -> visit[v].state = v_waiting; V_DO_TELL_TERMINAL(v); V_FORGET(v); V_ROW(2)
  :: visit[v].state == v_waiting && event == e_withdraw -> visit[v].state = v_withdrawn; V_ROW(3)
  :: visit[v].state == v_called && event == e_withdraw -> visit[v].state = v_withdrawn; V_DO_TELL_TERMINAL(v); V_ROW(4)
  :: visit[v].state == v_called && event == e_bind_card -> V_KEEP_CARD_TAG(v); visit[v].state = v_serving; V_ROW(5)
  :: visit[v].state == v_serving && event == e_curtain -> visit[v].state = v_serving; V_ROW(6)
  :: visit[v].state == v_serving && event == e_uncurtain && V_IF_SAME_CARD(v) -> V_KEEP_CARD_TAG(v); visit[v].state = v_serving; V_ROW(7)
  :: visit[v].state == v_serving && event == e_ask_end -> visit[v].state = v_serving; V_DO_TELL_TERMINAL(v); V_ROW(8)
  :: visit[v].state == v_serving && event == e_end -> V_KEEP_CAUSE(v); visit[v].state = v_ending; V_ROW(9)
  :: visit[v].state == v_called && event == e_end -> V_KEEP_CAUSE(v); visit[v].state = v_ending; V_ROW(10)
  :: visit[v].state == v_ending && event == e_end -> V_KEEP_CAUSE(v); visit[v].state = v_ending; V_ROW(11)
  :: visit[v].state == v_ending && event == e_wipe_proven -> V_KEEP_PROOF(v); visit[v].state = v_confirming; V_ROW(12)
  :: visit[v].state == v_confirming && event == e_wipe_proven -> V_KEEP_PROOF(v); visit[v].state = v_confirming; V_ROW(13)
  :: visit[v].state == v_ending && event == e_wipe_failed -> visit[v].state = v_ending; V_ROW(14)
  :: visit[v].state == v_confirming && event == e_wipe_failed -> V_SET_PROOF(v, false); visit[v].state = v_ending; V_ROW(15)
  :: visit[v].state == v_ending && event == e_clear -> visit[v].state = v_ending; V_DO_TELL_TERMINAL(v); V_ROW(16)
  :: visit[v].state == v_ending && event == e_attest_wipe -> V_KEEP_PROOF(v); visit[v].state = v_confirming; V_DO_RETIRE_TERMINAL(v); V_ROW(17)
  :: visit[v].state == v_serving && event == e_attest_wipe -> V_KEEP_PROOF(v); V_SET_CAUSE(v, true); visit[v].state = v_confirming; V_DO_RETIRE_TERMINAL(v); V_ROW(18)
  :: visit[v].state == v_confirming && event == e_confirm && V_IF_NOT_CONFIRMED(v) -> V_KEEP_CONFIRMATION(v); V_KEEP_OUTCOME(v); visit[v].state = v_confirming; V_DO_CLOSE_VISIT(v); V_ROW(19)
  :: visit[v].state == v_confirming && event == e_close && V_IF_WIPED_AND_CONFIRMED(v) -> visit[v].state = v_closed; V_DO_TELL_TERMINAL(v); V_ROW(20)
  :: else -> taken = false
  fi
}

inline terminal_table(event) {
  taken = true;
  if
  :: terminal.state == t_locked && event == e_assign -> T_KEEP_VISIT; T_KEEP_LEASE; terminal.state = t_waiting_card; T_ROW(0)
  :: terminal.state == t_waiting_card && event == e_unassign -> terminal.state = t_locked; T_FORGET; T_ROW(1)
  :: terminal.state == t_waiting_card && event == e_card_seen && T_IF_NOT_EXPOSED -> T_KEEP_CARD_TAG; T_SET_EXPOSED(true); T_SET_CARD_AWAY(false); terminal.state = t_waiting_card; T_DO_BIND; T_ROW(2)
  :: terminal.state == t_waiting_card && event == e_card_seen && T_IF_ASKED_SAME_CARD -> T_KEEP_CARD_TAG; T_SET_CARD_AWAY(false); terminal.state = t_waiting_card; T_ROW(3)
  :: terminal.state == t_waiting_card && event == e_card_seen && T_IF_ASKED_OTHER_CARD -> T_SET_CAUSE(true); terminal.state = t_ending; T_DO_STOP_GRACE; T_DO_REPORT_END; T_DO_DESTROY_BOX; T_ROW(4)
  :: terminal.state == t_waiting_card && event == e_card_gone -> T_SET_CARD_AWAY(true); terminal.state = t_waiting_card; T_ROW(5)
  :: terminal.state == t_waiting_card && event == e_bind_refused -> T_SET_EXPOSED(false); T_SET_CARD_TAG(false); terminal.state = t_waiting_card; T_ROW(6)
  :: terminal.state == t_waiting_card && event == e_bound && T_IF_CARD_HERE -> terminal.state = t_open; T_DO_OPEN_BOX; T_ROW(7)
  :: terminal.state == t_waiting_card && event == e_bound && T_IF_CARD_AWAY -> terminal.state = t_curtained; T_DO_OPEN_BOX; T_DO_DROP_CURTAIN; T_DO_START_GRACE; T_DO_REPORT_CURTAIN; T_ROW(8)
  :: terminal.state == t_open && event == e_card_gone -> terminal.state = t_curtained; T_DO_DROP_CURTAIN; T_DO_START_GRACE; T_DO_REPORT_CURTAIN; T_ROW(9)
  :: terminal.state == t_curtained && event == e_card_seen && T_IF_SAME_CARD -> T_KEEP_CARD_TAG; terminal.state = t_open; T_DO_STOP_GRACE; T_DO_REPORT_UNCURTAIN; T_DO_LIFT_CURTAIN; T_ROW(10)
  :: terminal.state == t_curtained && event == e_card_seen && T_IF_OTHER_CARD -> T_SET_CAUSE(true); terminal.state = t_ending; T_DO_STOP_GRACE; T_DO_REPORT_END; T_DO_DESTROY_BOX; T_ROW(11)
  :: terminal.state == t_curtained && event == e_card_gone -> terminal.state = t_curtained; T_ROW(12)
  :: terminal.state == t_open && event == e_card_seen -> T_SET_CAUSE(true); terminal.state = t_ending; T_DO_STOP_GRACE; T_DO_REPORT_END; T_DO_DESTROY_BOX; T_ROW(13)
  :: terminal.state == t_open && event == e_end -> T_KEEP_CAUSE; terminal.state = t_ending; T_DO_STOP_GRACE; T_DO_REPORT_END; T_DO_DESTROY_BOX; T_ROW(14)
  :: terminal.state == t_curtained && event == e_end -> T_KEEP_CAUSE; terminal.state = t_ending; T_DO_STOP_GRACE; T_DO_REPORT_END; T_DO_DESTROY_BOX; T_ROW(15)
  :: terminal.state == t_waiting_card && event == e_end && T_IF_EXPOSED -> T_KEEP_CAUSE; terminal.state = t_ending; T_DO_STOP_GRACE; T_DO_REPORT_END; T_DO_DESTROY_BOX; T_ROW(16)
  :: terminal.state == t_locked && event == e_orphan -> T_KEEP_VISIT; T_KEEP_LEASE; T_SET_EXPOSED(true); T_SET_CAUSE(true); terminal.state = t_ending; T_DO_STOP_GRACE; T_DO_REPORT_END; T_DO_DESTROY_BOX; T_ROW(17)
  :: terminal.state == t_waiting_card && event == e_orphan -> T_KEEP_VISIT; T_KEEP_LEASE; T_SET_EXPOSED(true); T_SET_CAUSE(true); terminal.state = t_ending; T_DO_STOP_GRACE; T_DO_REPORT_END; T_DO_DESTROY_BOX; T_ROW(18)
  :: terminal.state == t_confirming && event == e_orphan && T_IF_SAME_VISIT -> T_KEEP_VISIT; T_KEEP_LEASE; terminal.state = t_ending; T_DO_STOP_GRACE; T_DO_REPORT_END; T_DO_DESTROY_BOX; T_ROW(19)
  :: terminal.state == t_ending && event == e_wipe_proven && T_IF_EXPOSED -> T_KEEP_PROOF; terminal.state = t_confirming; T_DO_REPORT_WIPE_PROVEN; T_ROW(20)
  :: terminal.state == t_ending && event == e_wipe_proven && T_IF_NOT_EXPOSED -> terminal.state = t_locked; T_DO_REPORT_SWEEP_PROVEN; T_FORGET; T_ROW(21)
  :: terminal.state == t_ending && event == e_wipe_failed -> terminal.state = t_quarantined; T_DO_REPORT_WIPE_FAILED; T_ROW(22)
  :: terminal.state == t_quarantined && event == e_clear -> terminal.state = t_ending; T_DO_DESTROY_BOX; T_ROW(23)
  :: terminal.state == t_confirming && event == e_confirm -> terminal.state = t_locked; T_DO_REPORT_CONFIRM; T_FORGET; T_ROW(24)
  :: terminal.state == t_confirming && event == e_server_closed -> terminal.state = t_locked; T_FORGET; T_ROW(25)
  :: terminal.state == t_waiting_card && event == e_restart && T_IF_EXPOSED -> T_SET_CAUSE(true); terminal.state = t_ending; T_DO_STOP_GRACE; T_DO_REPORT_END; T_DO_DESTROY_BOX; T_ROW(26)
  :: terminal.state == t_open && event == e_restart -> T_SET_CAUSE(true); terminal.state = t_ending; T_DO_STOP_GRACE; T_DO_REPORT_END; T_DO_DESTROY_BOX; T_ROW(27)
  :: terminal.state == t_curtained && event == e_restart -> T_SET_CAUSE(true); terminal.state = t_ending; T_DO_STOP_GRACE; T_DO_REPORT_END; T_DO_DESTROY_BOX; T_ROW(28)
  :: terminal.state == t_locked && event == e_restart -> terminal.state = t_ending; T_DO_DESTROY_BOX; T_ROW(29)
  :: terminal.state == t_ending && event == e_restart -> terminal.state = t_ending; T_DO_DESTROY_BOX; T_ROW(30)
  :: terminal.state == t_confirming && event == e_restart -> terminal.state = t_ending; T_DO_DESTROY_BOX; T_ROW(31)
  :: terminal.state == t_waiting_card && event == e_restart && T_IF_NOT_EXPOSED -> terminal.state = t_ending; T_DO_DESTROY_BOX; T_FORGET; T_ROW(32)
  :: terminal.state == t_quarantined && event == e_restart -> terminal.state = t_quarantined; T_ROW(33)
  :: terminal.state == t_ending && event == e_end -> T_KEEP_CAUSE; terminal.state = t_ending; T_ROW(34)
  :: terminal.state == t_locked && event == e_card_seen -> terminal.state = t_locked; T_ROW(35)
  :: terminal.state == t_locked && event == e_card_gone -> terminal.state = t_locked; T_ROW(36)
  :: terminal.state == t_ending && event == e_card_seen -> terminal.state = t_ending; T_ROW(37)
  :: terminal.state == t_ending && event == e_card_gone -> terminal.state = t_ending; T_ROW(38)
  :: terminal.state == t_confirming && event == e_card_seen -> terminal.state = t_confirming; T_ROW(39)
  :: terminal.state == t_confirming && event == e_card_gone -> terminal.state = t_confirming; T_ROW(40)
  :: terminal.state == t_quarantined && event == e_card_seen -> terminal.state = t_quarantined; T_ROW(41)
  :: terminal.state == t_quarantined && event == e_card_gone -> terminal.state = t_quarantined; T_ROW(42)
  :: else -> taken = false
  fi
}
