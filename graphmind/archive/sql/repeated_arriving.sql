SELECT place FROM repeated WHERE arrives;
