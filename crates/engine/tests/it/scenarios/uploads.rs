//! Uploads: chunks, repeats, new graphs.

use super::scenarios;
use crate::world::graph::Graph;

scenarios! {
    fn an_upload_that_is_retried_three_times_is_one_run(w) {
        let graph = Graph::of("vpc > app");
        w.upload("aaa", &graph);
        w.upload("aaa", &graph);
        w.open_pull(7, "aaa");
        w.upload("aaa", &graph);
        w.finish_all();
        assert_eq!(w.repository().uploads.len(), 1);
        assert_eq!(w.runs(), "opened succeeded");
        w.assert_dispatched("plan:vpc plan:app");
    }

    fn a_chunked_upload_is_one_graph_once_all_chunks_are_in(w) {
        w.open_pull(7, "aaa");
        w.chunk("aaa", "batch", 1, 3, &Graph::of("cluster > app"));
        w.chunk("aaa", "batch", 2, 3, &Graph::of("dns"));
        w.chunk("aaa", "batch", 1, 3, &Graph::of("cluster > app"));
        assert_eq!(w.repository().batches.len(), 1);
        w.assert_dispatched("");
        w.chunk("aaa", "batch", 0, 3, &Graph::of("vpc > cluster"));
        w.assert_dispatched("plan:dns plan:vpc");
        w.chunk("aaa", "batch", 2, 3, &Graph::of("dns"));
        w.finish_all();
        w.assert_dispatched("plan:dns plan:vpc plan:cluster plan:app");
        assert_eq!(w.repository().batches.len(), 0);
    }

    fn a_chunked_upload_that_comes_again_under_another_batch_is_a_repeat(w) {
        w.open_pull(7, "aaa");
        for batch in ["one", "two"] {
            w.chunk("aaa", batch, 0, 2, &Graph::of("vpc"));
            w.chunk("aaa", batch, 1, 2, &Graph::of("dns"));
        }
        assert_eq!(w.repository().uploads.len(), 1);
        w.assert_dispatched("plan:dns plan:vpc");
    }

    fn chunks_that_do_not_fit_each_other_change_nothing(w) {
        w.open_pull(7, "aaa");
        w.chunk("aaa", "batch", 0, 2, &Graph::of("vpc"));
        w.chunk("aaa", "batch", 1, 3, &Graph::of("dns"));
        w.chunk("aaa", "batch", 0, 2, &Graph::of("dns"));
        w.chunk("bbb", "batch", 1, 2, &Graph::of("dns"));
        w.chunk("aaa", "batch", 2, 2, &Graph::of("dns"));
        w.assert_dispatched("");
        w.chunk("aaa", "batch", 1, 2, &Graph::of("mail"));
        w.assert_dispatched("plan:mail plan:vpc");
    }

    fn another_graph_while_the_run_goes_on_is_a_repeat(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc"));
        w.upload("aaa", &Graph::of("vpc > app"));
        w.finish_all();
        w.assert_dispatched("plan:vpc");
        assert_eq!(w.runs(), "opened succeeded");
    }

    fn another_graph_after_the_end_is_a_new_generation(w) {
        w.open_pull(7, "aaa");
        w.upload("aaa", &Graph::of("vpc"));
        w.finish_all();
        w.upload("aaa", &Graph::of("vpc"));
        assert_eq!(w.runs(), "opened succeeded");
        w.pass(10);
        w.upload("aaa", &Graph::of("vpc > app"));
        w.finish_all();
        assert_eq!(w.runs(), "opened succeeded, opened succeeded");
        assert_eq!(w.run("opened").generation, 2);
        w.assert_dispatched("plan:vpc plan:vpc plan:app");
    }

    fn an_upload_that_belongs_to_nothing_is_looked_up_for_an_hour(w) {
        w.upload("ccc", &Graph::of("vpc"));
        w.pass(2 * 3600);
        let looks = w.log.iter().filter(|entry| entry.record.events[0].name() == "upload_looked_up").count();
        assert!((25..=31).contains(&looks), "{looks}");
        w.assert_dispatched("");
        assert_eq!(w.repository().runs.len(), 0);
    }
}
