
mod contracts;
mod simulation;
