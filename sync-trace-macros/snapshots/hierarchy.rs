lock_hierarchy! { A < { B < E, "c.*" } < db::D, X < Y < "z" }
