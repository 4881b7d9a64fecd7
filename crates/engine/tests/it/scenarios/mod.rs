//! Named scenarios. Each is run whole, and with the process killed at every record.

mod applies;
mod commands;
mod dispatches;
mod graphs;
mod plans;
mod triggers;
mod uploads;

macro_rules! scenarios {
    ($($(#[doc = $doc:literal])* fn $name:ident($world:ident) $body:block)*) => {
        $(
            $(#[doc = $doc])*
            fn $name($world: &mut $crate::world::World) $body
        )*

        mod whole {
            $(
                #[test]
                fn $name() {
                    let mut world = $crate::world::World::new();
                    super::$name(&mut world);
                    world.end();
                }
            )*
        }

        mod cut {
            $(
                #[test]
                fn $name() {
                    $crate::cuts::cut_at_every_record(super::$name);
                }
            )*
        }
    };
}
use scenarios;
