"""Gold data, measures, baselines, reports and the gate: how well the product works, in the field's own measures."""
