use super::{
    app::{App, Tab, Turn},
    draw,
};
use crate::replay::tests::incident;
use ratatui::{
    Terminal,
    backend::TestBackend,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
};
use stackwave_replay::Player;

fn screen(app: &App) -> String {
    let mut terminal = Terminal::new(TestBackend::new(140, 40)).unwrap();
    terminal.draw(|frame| draw::draw(frame, app)).unwrap();
    let buffer = terminal.backend().buffer();
    let area = buffer.area();
    let row = |y| (0..area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..area.height).map(row).collect::<Vec<_>>().join("\n")
}

fn press(app: &mut App, code: KeyCode) -> Turn {
    app.key(KeyEvent::new(code, KeyModifiers::NONE))
}

#[test]
fn steps_back_and_forward_show_the_run_as_it_was() {
    let mut app = App::new(Player::new(&incident()).unwrap(), None);
    let last = app.player.entries().len();
    assert!(screen(&app).contains(&format!("record {last} of {last}")));
    let end = screen(&app);
    press(&mut app, KeyCode::Home);
    let start = screen(&app);
    assert!(start.contains("the run is not open yet"), "{start}");
    for _ in 0..last {
        press(&mut app, KeyCode::Right);
    }
    assert_eq!(screen(&app), end, "going forward again comes to the same screen");
}

#[test]
fn it_jumps_to_decisions_and_to_failures_and_shows_each_view() {
    let mut app = App::new(Player::new(&incident()).unwrap(), None);
    press(&mut app, KeyCode::Char('F'));
    let failed = screen(&app);
    assert!(failed.contains("✗ failed"), "{failed}");
    let mut seen = Vec::new();
    for _ in Tab::ALL {
        press(&mut app, KeyCode::Tab);
        seen.push(screen(&app));
    }
    assert!(seen[0].contains("wave 1:"), "{}", seen[0]);
    assert!(seen[1].contains("<!-- stackwave:v1"), "{}", seen[1]);
    assert!(seen[2].contains("commenter: edit_comment on #7"), "{}", seen[2]);
    assert_eq!(seen[3], failed, "round to where it began");
    press(&mut app, KeyCode::Home);
    press(&mut app, KeyCode::Char('n'));
    assert!(screen(&app).contains("run_opened"));
    press(&mut app, KeyCode::Char('p'));
    assert_eq!(app.player.step(), 3, "there is no decision before the first");
    assert_eq!(press(&mut app, KeyCode::Char('q')), Turn::Quit);
}

#[test]
fn it_plays_from_the_start_to_the_end_and_stops() {
    let mut app = App::new(Player::new(&incident()).unwrap(), Some(1_000.0));
    assert!(app.playing && app.player.step() < app.player.entries().len());
    let last = app.player.entries().len();
    for _ in app.player.step()..last {
        assert!(app.pause().is_some());
        app.play();
    }
    assert_eq!((app.player.step(), app.playing), (last, false));
}
