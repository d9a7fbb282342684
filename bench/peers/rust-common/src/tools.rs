// SPDX-License-Identifier: BSD-2-Clause
//! What the workloads need and no runtime brings.

/// xorshift64*, as all peers draw.
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// From 0 to below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % n
    }

    /// From 0 to below `n`, never `own`.
    pub fn other(&mut self, n: u64, own: u64) -> u64 {
        let drawn = self.below(n - 1);
        drawn + u64::from(drawn >= own)
    }
}

/// Of the creatures of chameneos.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Blue,
    Red,
    Yellow,
}

impl Colour {
    const ALL: [Colour; 3] = [Colour::Blue, Colour::Red, Colour::Yellow];

    pub fn of(number: u64) -> Self {
        Self::ALL[(number % 3) as usize]
    }

    /// What both become when they meet.
    pub fn complement(self, other: Colour) -> Self {
        if self == other { self } else { Self::ALL[3 - self as usize - other as usize] }
    }
}
