// Entry of the worker thread.
export {};
