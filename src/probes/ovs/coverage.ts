// coverage/show: how often something happened in ovs-vswitchd since it was started. Counters at zero are left out of the answer.
import type { Metric } from '../collector.ts';
import { counter, linesOf, whole, type Reading } from './readings.ts';

/** Those that openstack-network-exporter has under names of their own; every other one is `ovs_coverage_total`. */
const NAMED = `
  afxdp_cq_empty afxdp_cq_skip afxdp_fq_full afxdp_tx_full bridge_reconfigure ccmap_expand ccmap_shrink cmap_expand cmap_shrink
  connmgr_async_unsent conntrack_full conntrack_invalid_tcp_flags conntrack_l3csum_err conntrack_l4csum_err
  conntrack_lookup_natted_miss conntrack_tcp_seq_chk_bypass conntrack_tcp_seq_chk_failed datapath_drop_hw_miss_recover
  datapath_drop_invalid_bond datapath_drop_invalid_port datapath_drop_invalid_tnl_port datapath_drop_lock_error
  datapath_drop_meter datapath_drop_nsh_decap_error datapath_drop_recirc_error datapath_drop_rx_invalid_packet
  datapath_drop_sample_error datapath_drop_tunnel_pop_error datapath_drop_tunnel_push_error datapath_drop_tunnel_tso_recirc
  datapath_drop_upcall_error datapath_drop_userspace_action_error dpif_destroy dpif_execute dpif_execute_error
  dpif_execute_with_help dpif_flow_del dpif_flow_del_error dpif_flow_flush dpif_flow_get dpif_flow_get_error dpif_flow_put
  dpif_flow_put_error dpif_meter_del dpif_meter_get dpif_meter_set dpif_port_add dpif_port_del dpif_purge
  drop_action_bridge_not_found drop_action_congestion drop_action_forwarding_disabled drop_action_invalid_tunnel_metadata
  drop_action_no_recirculation_context drop_action_of_pipeline drop_action_recirculation_conflict drop_action_recursion_too_deep
  drop_action_stack_too_deep drop_action_too_many_mpls_labels drop_action_too_many_resubmit drop_action_unsupported_packet_type
  dumped_duplicate_flow dumped_inconsistent_flow dumped_new_flow flow_extract handler_duplicate_upcall hindex_expand
  hindex_pathological hindex_reserve hindex_shrink hmap_expand hmap_pathological hmap_reserve hmap_shrink ipf_l3csum_err
  ipf_stuck_frag_list_purged lockfile_error lockfile_lock lockfile_unlock long_poll_interval mac_learning_evicted
  mac_learning_expired mac_learning_learned mac_learning_moved mac_learning_static_none_move mcast_snooping_expired
  mcast_snooping_learned miniflow_extract_ipv4_pkt_len_error miniflow_extract_ipv4_pkt_too_short
  miniflow_extract_ipv6_pkt_len_error miniflow_extract_ipv6_pkt_too_short miniflow_malloc netdev_add_router netdev_arp_lookup
  netdev_geneve_tso_drops netdev_get_ethtool netdev_get_hwaddr netdev_get_ifindex netdev_get_stats netdev_push_header_drops
  netdev_received netdev_sent netdev_set_ethtool netdev_set_hwaddr netdev_set_policing netdev_soft_seg_drops
  netdev_soft_seg_good netdev_vxlan_tso_drops netlink_overflow netlink_received netlink_recv_jumbo netlink_sent nln_changed
  ofmonitor_pause ofmonitor_resume ofproto_dpif_expired ofproto_flush ofproto_packet_out ofproto_queue_req ofproto_recv_openflow
  ofproto_reinit_ports ofproto_update_port packet_in_overflow poll_create_node poll_zero_timeout process_start pstream_open
  raft_entry_serialize rconn_discarded rconn_overflow rconn_queued rconn_sent rev_bond rev_flow_table rev_mac_learning
  rev_mcast_snooping rev_port_toggled rev_reconfigure rev_rstp rev_stp revalidate_missed_dp_flow revalidate_missing_dp_flow
  route_table_dump rtbsd_changed seq_change stream_open tc_netlink_malformed_reply txn_aborted txn_error txn_forward_cancel
  txn_forward_complete txn_forward_create txn_forward_sent txn_incomplete txn_not_locked txn_success txn_try_again txn_unchanged
  txn_uncommitted ukey_dp_change ukey_invalid_stat_reset ukey_replace_contention unixctl_received unixctl_replied
  upcall_flow_limit_grew upcall_flow_limit_hit upcall_flow_limit_kill upcall_flow_limit_reduced upcall_flow_limit_scaled
  upcall_ukey_contention upcall_ukey_replace util_xalloc vconn_open vconn_received vconn_sent vhost_tx_contention xlate_actions
  xlate_actions_oversize xlate_actions_too_many_output
`
  .trim()
  .split(/\s+/);

const SOURCE = 'ovs-vswitchd: coverage/show';

const own: ReadonlyMap<string, Metric> = new Map(
  NAMED.map((event) => [
    event,
    counter(`ovs_coverage_${event}_total`, SOURCE, `Coverage counter ${event} of ovs-vswitchd.`, { unit: 'events' }),
  ]),
);
const OTHER = counter(
  'ovs_coverage_total',
  SOURCE,
  'Coverage counters of ovs-vswitchd that have no metric of their own, by event.',
  { unit: 'events', labels: ['component', 'event'] },
);
const NEVER_HIT = {
  name: 'jdos_ovs_coverage_never_hit',
  help: 'Coverage counters of ovs-vswitchd that are still zero, and therefore not shown.',
  source: SOURCE,
  type: 'gauge',
  unit: 'counters',
} as const satisfies Metric;

export const COVERAGE_METRICS: readonly Metric[] = [...own.values(), OTHER, NEVER_HIT];

const EVENT = /^([a-z0-9_]{1,64})\s+\S+\/sec\s+\S+\/sec\s+\S+\/sec\s+total: (\d+)$/;
const NEVER = /^(\d+) events never hit$/;

export function readCoverage(text: string): readonly Reading[] {
  return linesOf(text).flatMap((line): Reading[] => {
    const [, event = '', total] = EVENT.exec(line) ?? [];
    const value = whole(total);
    const metric = own.get(event);
    if (value !== undefined)
      return [
        metric === undefined
          ? { metric: OTHER, value, labels: ['ovs-vswitchd', event] }
          : { metric, value, labels: [] },
      ];
    const never = whole(NEVER.exec(line)?.[1]);
    return never === undefined ? [] : [{ metric: NEVER_HIT, value: never, labels: [] }];
  });
}
