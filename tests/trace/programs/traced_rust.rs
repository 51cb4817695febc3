// Names of Rust: a function of a module and a method.
mod garden {
    pub struct Plant {
        pub height: i64,
    }

    impl Plant {
        #[inline(never)]
        pub fn grow(&mut self, by: i64) -> i64 {
            self.height += by;
            std::hint::black_box(self.height)
        }
    }

    #[inline(never)]
    pub fn water(litres: u32, cans: u32) -> u32 {
        std::hint::black_box(litres * cans)
    }

    #[no_mangle]
    #[inline(never)]
    pub extern "C" fn garden_plain(number: i32) -> i32 {
        std::hint::black_box(number + 1)
    }
}

fn main() {
    let mut plant = garden::Plant { height: 30 };
    let height = plant.grow(12);
    let water = garden::water(std::hint::black_box(3), std::hint::black_box(4));
    let plain = garden::garden_plain(-8);
    std::process::exit(if height == 42 && water == 12 && plain == -7 { 0 } else { 1 });
}
