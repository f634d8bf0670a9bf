"""Training and running small Llamas on CPU cores. In reading order:

kernels - losses and gradients as one compiled function, for one core
shape - the shape of a model, and the recipe of its training
model - the model in plain torch, for any device and precision
optimiser - Muon for matrices, AdamW for embedding and gains
train - training of the models of one shape; a killed run continues bit for bit
checkpoint - the checkpoint, in the format of transformers
decode - greedy decoding as one compiled function, for one core
generate - generation from many prompts at once, with a key-value cache, for any device
sweep - a pool of processes, one a core, for the jobs of a ladder
forecast - the time that these jobs still take
"""
