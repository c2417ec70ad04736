//! Small symmetric systems.

/// Solves `a x = b` for the first `n` unknowns by Cholesky's method. `a` is
/// symmetric, of which the lower triangle is read. `None` when it is not
/// positive definite.
pub fn solve<const N: usize>(a: &[[f64; N]; N], b: &[f64; N], n: usize) -> Option<[f64; N]> {
    let l = factor(a, n)?;
    let mut x = [0.0; N];
    for i in 0..n {
        let sum: f64 = (0..i).map(|k| l[i][k] * x[k]).sum();
        x[i] = (b[i] - sum) / l[i][i];
    }
    for i in (0..n).rev() {
        let sum: f64 = (i + 1..n).map(|k| l[k][i] * x[k]).sum();
        x[i] = (x[i] - sum) / l[i][i];
    }
    Some(x)
}

fn factor<const N: usize>(a: &[[f64; N]; N], n: usize) -> Option<[[f64; N]; N]> {
    let mut l = [[0.0; N]; N];
    for i in 0..n {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| l[i][k] * l[j][k]).sum();
            if i == j {
                let d = a[i][i] - sum;
                // A pivot that lost twelve digits is a dependent column.
                if d <= a[i][i] * 1e-12 {
                    return None;
                }
                l[i][i] = d.sqrt();
            } else {
                l[i][j] = (a[i][j] - sum) / l[j][j];
            }
        }
    }
    Some(l)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_a_system_and_ignores_what_lies_behind_it() {
        let a = [[4.0, 2.0, 99.0], [2.0, 3.0, 99.0], [99.0, 99.0, 99.0]];
        let x = solve(&a, &[8.0, 8.0, 99.0], 2).unwrap();
        assert!((x[0] - 1.0).abs() < 1e-12 && (x[1] - 2.0).abs() < 1e-12, "{x:?}");
    }

    #[test]
    fn refuses_dependent_columns() {
        assert_eq!(solve(&[[1.0, 2.0], [2.0, 4.0]], &[1.0, 2.0], 2), None);
    }
}
